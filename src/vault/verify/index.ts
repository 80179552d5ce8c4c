export type { Completeness, Gap, Removed } from './completeness.ts';
export type { Freshness, Remembered, SignerMemory, SplitView } from './freshness.ts';
export type { Integrity, Keys, Problem, Progress, SeenNote, VerifyOptions, VerifyReport } from './report.ts';
export { verifyVault } from './verify.ts';
