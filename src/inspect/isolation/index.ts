export { collectIsolation, type IsolationOptions } from './collect.ts';
export type { Confidence, Container, IsolationReport, Machine, SharedService } from './report.ts';
