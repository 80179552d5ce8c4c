import { ask, PkiError } from '#pki/mailbox';
import { passedBack, type passedOn } from '#wire/pki';
import type { z } from 'zod';
import type { CertificateHandler } from './certificates.ts';

/**
 * Passes requests for certificates on to the issuer, as files in a directory, and its answers back. Neither is looked
 * into here: what is asked for is proven to the issuer alone.
 * @param directory that this process may write in, and the issuer answers in
 */
export const passOn =
  (directory: string, withinMs = 15_000): CertificateHandler =>
  async ({ path, body, peer }) => {
    const head: z.infer<typeof passedOn> = { path, peer };
    const request = Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), body]);
    try {
      // The group of the directory is the issuer's.
      const answer = await ask(directory, request, { withinMs, mode: 0o640 });
      return { ...passedBack.parse(JSON.parse(answer.toString('utf8'))), type: 'application/json' };
    } catch (error) {
      const code = error instanceof PkiError ? error.code : 'no-answer';
      return {
        status: 503,
        type: 'application/json',
        body: `${JSON.stringify({ error: code, message: 'nobody issues certificates at the moment: try again' })}\n`,
        refused: code,
      };
    }
  };
