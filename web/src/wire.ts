/** The shapes that cross from the console's process to this page: types alone, nothing of the server is bundled. */
export type { Answer, Hit, SenderFigures, Source } from '../../src/wire/search.ts';
export type {
  ApiError,
  AuditAnswer,
  BrowseAnswer,
  CheckpointStatus,
  CountsAnswer,
  FieldsAnswer,
  PatternsAnswer,
  SavedAnswer,
  Status,
} from '../../src/wire/console.ts';
export type { Finding, SectionName, SeverityName } from '../../src/wire/audit.ts';
export type { AlertState } from '../../src/wire/alert.ts';
export type { Branch } from '../../src/wire/browse.ts';
export type { Field } from '../../src/wire/fields.ts';
export type { Pattern } from '../../src/wire/patterns.ts';
