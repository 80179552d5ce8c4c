import { agent } from './agent.ts';
import { journald } from './journald.ts';
import { postfix } from './postfix.ts';
import { curl, loggen, logger, nginx, opentelemetry } from './programs.ts';
import { rsyslog } from './rsyslog.ts';
import type { Snippet } from './snippet.ts';
import { syslogNg } from './syslog-ng.ts';

export { usualPort, type Kind, type Snippet, type Target, type Way } from './snippet.ts';

export const snippets: readonly Snippet[] = [
  agent,
  rsyslog,
  syslogNg,
  journald,
  logger,
  nginx,
  postfix,
  opentelemetry,
  curl,
  loggen,
];
