import type { IncomingMessage } from 'node:http';

/**
 * The whole body of a request.
 * @returns `null` as soon as it is longer than `most`, or was cut short
 */
export const readBody = (request: IncomingMessage, most: number): Promise<Buffer | null> =>
  new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let length = 0;
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > most) return resolve(null);
      chunks.push(chunk);
    });
    request.on('end', () => resolve(Buffer.concat(chunks)));
    request.on('close', () => resolve(null));
    request.on('error', () => resolve(null));
  });
