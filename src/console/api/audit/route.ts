import { readFile, stat } from 'node:fs/promises';
import type { FastifyInstance } from 'fastify';
import { messageOf, systemCode } from '#base/errors';
import { auditReport, unseenSections } from '#wire/audit';
import type { AuditAnswer } from '#wire/console';
import { shownJson } from '../../shown.ts';

const largestReport = 16 * 1024 * 1024;

/**
 * `GET /api/audit`: the report that the supervisor wrote. The console looks at nothing on the host itself: it is the
 * process that browsers talk to, and has no privilege to look with.
 */
export const addAudit = (app: FastifyInstance, file: string): void => {
  app.get('/api/audit', async () => readAudit(file));
};

const readAudit = async (file: string): Promise<AuditAnswer> => {
  const remedy = 'run "holdfast audit" on the host';
  try {
    const { size } = await stat(file);
    if (size > largestReport)
      return { result: 'could-not-look', what: file, why: `it has ${size} bytes`, remedy };
    const parsed = auditReport.safeParse(shownJson(JSON.parse(await readFile(file, 'utf8'))));
    if (!parsed.success)
      return { result: 'could-not-look', what: file, why: 'it is no audit report of this version', remedy };
    // The sections' details stay behind: the page shows findings, and what could not be seen.
    const { sections, ...shown } = parsed.data;
    return { result: 'found', ...shown, unseenSections: unseenSections({ sections }) };
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return { result: 'not-yet' };
    return { result: 'could-not-look', what: file, why: messageOf(error), remedy };
  }
};
