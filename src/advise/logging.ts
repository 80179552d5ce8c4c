import type { LoggingReport } from '#inspect';
import type { Finding } from '#wire/audit';
import { findLogDaemons } from './log-daemons.ts';
import { findLogFiles } from './log-files.ts';
import { findLogShipping } from './log-shipping.ts';

/** Judges section `logging`: whether what happens here can be known later, by somebody whom an intruder cannot bend. */
export const findLogging = (report: LoggingReport): Finding[] => [
  ...findLogShipping(report),
  ...findLogDaemons(report),
  ...findLogFiles(report),
];
