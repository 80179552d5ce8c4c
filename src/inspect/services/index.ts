export { collectServices, type ServicesOptions } from './collect.ts';
export { unitOf as unitOfCgroup } from './processes.ts';
export { hidesOwnSockets } from './endpoints.ts';
export { packageFinder, type PackageFinder, type PackagedFile } from './packages.ts';
export { newMemory, type Memory } from './memory.ts';
export type { InitSystem } from '../host.ts';
export type {
  Holder,
  HolderProcess,
  Listener,
  NetworkNamespace,
  Protocol,
  Scope,
  ServicesReport,
  UnixPermissions,
} from './report.ts';
