import { auditReport } from '#wire/audit';

/** `run/audit.json`: the sections' details stay behind, the page shows findings and what could not be seen. */
export const auditFile = auditReport.omit({ sections: true });
