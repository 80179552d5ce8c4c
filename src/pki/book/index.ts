export { PkiError, type PkiErrorCode } from '../errors.ts';
export { openBook, readRegister, type Book } from './book.ts';
export type { BookEvent, NewEvent } from './event.ts';
export type { HostCertificate, KnownToken, Register } from './register.ts';
