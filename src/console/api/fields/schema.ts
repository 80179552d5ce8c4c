import { z } from 'zod';
import { fieldsRequest } from '#wire/fields';

/** Body of `POST /api/fields`: a FieldsRequest, with as many fields as a page can hold. */
export const fieldsBody = fieldsRequest.extend({ limit: z.int().min(1).max(500).default(100) });
