/** The shapes that cross from the console's process to this page: types alone, nothing of the server is bundled. */
export type { Answer, Hit, SenderFigures, Source } from '../../src/wire/search.ts';
export type {
  ApiError,
  AuditAnswer,
  CheckpointStatus,
  CountsAnswer,
  Status,
} from '../../src/wire/console.ts';
export type { Finding, SectionName, SeverityName } from '../../src/wire/audit.ts';
