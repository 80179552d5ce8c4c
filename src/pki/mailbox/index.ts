export { PkiError, type PkiErrorCode } from '../errors.ts';
export { ask, type AskOptions } from './ask.ts';
export { openMailbox, type Asked, type Mailbox, type MailboxOptions } from './mailbox.ts';
export { mostBytes } from './small-file.ts';
