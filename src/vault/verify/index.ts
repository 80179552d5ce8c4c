export type { Problem, VerifyOptions, VerifyReport } from './report.ts';
export { verifyVault } from './verify.ts';
