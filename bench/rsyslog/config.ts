import type { TlsFiles } from '#wire/listen';

/** How lines come to rsyslog. */
export type RsyslogInput =
  { kind: 'tls'; driver: 'ossl' | 'gtls'; files: TlsFiles } | { kind: 'relp'; files: null };

/**
 * One input on loopback, and one file in which every message is written as it came: what its user gets with the least
 * that rsyslog can be asked to do. Queues, batches and workers are as they come; nothing is fsynced.
 * @param modules where its modules lie
 */
export const rsyslogConfig = (modules: string, input: RsyslogInput, port: number, file: string): string =>
  [
    ...globals(input),
    ...listening(input, modules, port),
    'template(name="as-sent" type="string" string="%rawmsg%\\n")',
    `action(type="omfile" file="${file}" template="as-sent" fileCreateMode="0600")`,
    '',
  ].join('\n');

const globals = (input: RsyslogInput): string[] =>
  input.kind === 'relp'
    ? []
    : [
        `global(defaultNetstreamDriver="${input.driver}" defaultNetstreamDriverCAFile="${input.files.authority}"`,
        `  defaultNetstreamDriverCertFile="${input.files.certificate}" defaultNetstreamDriverKeyFile="${input.files.key}")`,
      ];

const listening = (input: RsyslogInput, modules: string, port: number): string[] =>
  input.kind === 'relp'
    ? [
        `module(load="${modules}/imrelp")`,
        `input(type="imrelp" port="${port}" address="127.0.0.1" maxDataSize="64k")`,
      ]
    : [
        `module(load="${modules}/imtcp" StreamDriver.Name="${input.driver}" StreamDriver.Mode="1" StreamDriver.AuthMode="anon")`,
        `input(type="imtcp" port="${port}" address="127.0.0.1")`,
      ];
