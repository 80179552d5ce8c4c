import { queue } from './rsyslog.ts';
import { lines, type Snippet } from './snippet.ts';

/**
 * Postfix logs to /dev/log alone. The tag up to its `[` is the whole name: rsyslog's own `app-name` of `postfix/qmgr[7]:`
 * is `postfix`, and which of its daemons spoke is lost.
 */
const template =
  '<%PRI%>1 %TIMESTAMP:::date-rfc3339% %HOSTNAME% %syslogtag:F,91:1% %PROCID% %MSGID% %STRUCTURED-DATA%%msg:::sp-if-no-1st-sp%%msg%\\n';

export const postfix: Snippet = {
  name: 'postfix',
  title: 'Postfix, by rsyslog',
  file: '/etc/rsyslog.d/80-holdfast-postfix.conf',
  activate: 'systemctl restart rsyslog',
  packages: ['postfix', 'rsyslog', 'rsyslog-relp'],
  ways: {
    relp: {
      kind: 'relp',
      promise:
        'each line is acknowledged after it is on Holdfast’s disk; an outage loses nothing, and each line names the daemon, as `postfix/qmgr`. ' +
        'What forwards all of rsyslog brings these lines too, as `postfix`: beside it, leave this out or have each twice. ' +
        'Where there is no rsyslog, the journal has them: systemd-journal-upload, or the agent, brings them',
      write: ({ host, port }) =>
        lines(
          'module(load="omrelp")',
          `template(name="holdfast_postfix" type="string" string="${template}")`,
          'if $programname startswith "postfix" then {',
          `  action(type="omrelp" target="${host}" port="${port}" template="holdfast_postfix"`,
          `    ${queue('holdfast_postfix')})`,
          '}',
        ),
    },
  },
};
