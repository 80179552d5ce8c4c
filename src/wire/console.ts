import { z } from 'zod';
import { couldNotLook, finding, sectionName } from './audit.ts';
import { ready } from './ready.ts';
import { branch } from './browse.ts';
import { counts } from './counts.ts';
import { field, fieldsRead } from './fields.ts';
import { pattern, patternsFolded } from './patterns.ts';
import { savedSearch } from './saved.ts';
import { answer, health } from './search.ts';

/**
 * What the console's API answers, where it is not already in `search.ts`. Text that came from a log or a host has
 * control and bidirectional characters as visible escapes; `raw` and paths alone are exact.
 *
 *     POST /api/search        SearchRequest → NDJSON: Hit lines, then one Answer line; an ApiError line if it broke off
 *     POST /api/counts        CountsRequest → CountsAnswer
 *     POST /api/patterns      PatternsRequest → PatternsAnswer
 *     POST /api/fields        FieldsRequest → FieldsAnswer
 *     POST /api/browse        BrowseRequest → BrowseAnswer; the paths in it are exact
 *     GET  /api/leaf?path=    → text/plain, a download: the file of that path, each line its exact bytes and a line feed
 *     POST /api/saved         → SavedAnswer
 *     POST /api/save          SaveRequest → `{"saved":name}`
 *     POST /api/forget        ForgetRequest → `{"forgotten":name}`
 *     POST /api/alerts        → AlertState[]
 *     GET  /api/tail?query=   Server-Sent Events: `hit` (Hit), `dropped` ({"dropped":n}), `away` (ApiError)
 *     GET  /api/sources       → Source[]
 *     GET  /api/senders       → SenderFigures[]
 *     GET  /api/status        → Status
 *     GET  /api/audit         → AuditAnswer
 *     errors: 4xx/5xx with ApiError
 */
export const apiError = z.object({
  error: z.object({
    code: z.string(),
    message: z.string(),
    /** `bad-query`: zero-based column of the mistake in the query. */
    column: z.int().nullable(),
    suggestion: z.string().nullable(),
  }),
});
export type ApiError = z.infer<typeof apiError>;

/** The newest checkpoint as it lies in the vault. `none` = nothing was committed yet. */
export const checkpointStatus = z.discriminatedUnion('result', [
  z.object({
    result: z.literal('found'),
    origin: z.string(),
    size: z.int(),
    /** base64 of the 32-byte root hash */
    root: z.string(),
    /** When it was published, RFC 3339 UTC. */
    time: z.string(),
    /** Whether the Ed25519 signature was checked against `keys/vault.vkey`, and what came of it. */
    signature: z.enum(['valid', 'invalid', 'not checked']),
  }),
  z.object({ result: z.literal('none') }),
  couldNotLook.extend({ result: z.literal('could-not-look') }),
]);
export type CheckpointStatus = z.infer<typeof checkpointStatus>;

export const indexerStatus = z.discriminatedUnion('result', [
  z.object({ result: z.literal('answers'), health }),
  z.object({ result: z.literal('away'), message: z.string() }),
]);
export type IndexerStatus = z.infer<typeof indexerStatus>;

export const status = z.object({
  host: z.string(),
  /** The console's clock, RFC 3339 UTC: ages are reckoned from it, not from the reader's clock. */
  time: z.string(),
  checkpoint: checkpointStatus,
  indexer: indexerStatus,
  /** `run/ready.json`; null until all processes serve. */
  ready: ready.nullable(),
});
export type Status = z.infer<typeof status>;

/** The supervisor's newest audit of this host, without the sections' details. */
export const auditAnswer = z.discriminatedUnion('result', [
  z.object({
    result: z.literal('found'),
    host: z.string(),
    time: z.string(),
    /** Sections in which nothing could be seen. */
    unseenSections: z.array(sectionName),
    findings: z.array(finding),
    couldNotLook: z.array(couldNotLook),
  }),
  /** No audit has been written since this host was started. */
  z.object({ result: z.literal('not-yet') }),
  couldNotLook.extend({ result: z.literal('could-not-look') }),
]);
export type AuditAnswer = z.infer<typeof auditAnswer>;

/** How many lines match, and what that is worth. */
export const countsAnswer = counts.extend(answer.shape);
export type CountsAnswer = z.infer<typeof countsAnswer>;

export const patternsAnswer = patternsFolded.extend(answer.shape).extend({ patterns: z.array(pattern) });
export type PatternsAnswer = z.infer<typeof patternsAnswer>;

export const fieldsAnswer = fieldsRead.extend(answer.shape).extend({ fields: z.array(field) });
export type FieldsAnswer = z.infer<typeof fieldsAnswer>;

export const browseAnswer = answer.extend({ branches: z.array(branch) });
export type BrowseAnswer = z.infer<typeof browseAnswer>;

export const savedAnswer = answer.extend({ saved: z.array(savedSearch) });
export type SavedAnswer = z.infer<typeof savedAnswer>;
