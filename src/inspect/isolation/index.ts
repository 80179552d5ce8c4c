export { collectIsolation, type IsolationOptions } from './collect.ts';
export type { Confidence, Container, IsolationReport, ListensOn, Machine, SharedService } from './report.ts';
