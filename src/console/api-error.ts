import type { z } from 'zod';
import { printable } from '#base/printable';
import type { ApiError } from '#wire/console';
import { ConsoleError, httpStatus } from './errors.ts';

/** What the browser is told of an error: never a stack, and text of the request only as visible escapes. */
export const apiErrorOf = (error: unknown): { status: number; body: ApiError } => {
  if (error instanceof ConsoleError) {
    const { refusal } = error;
    if (refusal !== null) {
      const suggestion = refusal.error.suggestion === null ? null : printable(refusal.error.suggestion);
      return {
        status: refusal.status,
        body: { error: { ...refusal.error, message: printable(refusal.error.message), suggestion } },
      };
    }
    return { status: httpStatus[error.code], body: bodyOf(error.code, error.message) };
  }
  // Fastify's own refusals (too large, not JSON, unknown media type) carry their status.
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
  if (error instanceof Error && typeof status === 'number' && status >= 400 && status < 500) {
    return { status, body: bodyOf('bad-request', error.message) };
  }
  return { status: 500, body: bodyOf('internal', 'the console failed at this; its own log has the reason') };
};

const bodyOf = (code: string, message: string): ApiError => ({
  error: { code, message: printable(message), column: null, suggestion: null },
});

/**
 * Checks what a browser sent.
 * @throws ConsoleError bad-request, naming what does not fit
 */
export const parseRequest = <T>(schema: z.ZodType<T>, value: unknown): T => {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const what = parsed.error.issues
    .map((issue) => `${issue.path.join('.') || 'body'}: ${issue.message}`)
    .join('; ');
  throw new ConsoleError('bad-request', `the request does not fit: ${what}`, { cause: parsed.error });
};
