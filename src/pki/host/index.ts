export { PkiError, type PkiErrorCode } from '../errors.ts';
export { fingerprintOf } from '../fingerprint.ts';
export { newKey } from '../key.ts';
export { enrolHost, renewalOf, renewHost } from './enrol.ts';
export { hostFiles, readHostFile, writeHostFile, type HostFiles } from './files.ts';
export { requestDer } from './request-file.ts';
export type { Server } from './server.ts';
export { makeSigningRequest } from './signing-request.ts';
