import { z } from 'zod';
import { browseRequest, leafRequest } from '#wire/browse';

/** Body of `POST /api/browse`. */
export const browseBody = browseRequest;

/** Query string of `GET /api/leaf`. */
export const leafQuery = z.strictObject({ path: leafRequest.shape.path });
