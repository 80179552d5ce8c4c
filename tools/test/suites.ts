import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** One suite: either a command whose exit status decides, or files for `node --test` whose tests are counted. */
export type Suite = {
  name: string;
  command?: readonly string[];
  tests?: readonly string[];
  /** Debian packages that it needs; installed by the set-up when root. */
  packages?: readonly string[];
  /** Directories with a package-lock.json of their own, which the set-up installs. */
  tools?: readonly string[];
  /** Tests that must not share the machine with others run one file at a time. */
  serial?: true;
  /** Suites of different lanes run at the same time; those of one lane, or of none, in turn. */
  lane?: 'one' | 'other';
  /** Why it cannot run here, or null. */
  cannotRun?: () => string | null;
};

export const onPath = (program: string): boolean =>
  [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'].some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });

const bin = (name: string): string => join('node_modules', '.bin', name);

export const suites: readonly Suite[] = [
  { name: 'formatting', command: [process.execPath, bin('prettier'), '--check', '.'] },
  { name: 'lint', command: [process.execPath, bin('oxlint'), '--deny-warnings'] },
  { name: 'types', command: [process.execPath, bin('tsc'), '-p', '.'] },
  { name: 'types of the console', command: [process.execPath, bin('tsc'), '-p', 'web'] },
  { name: 'boundaries', tests: ['tools/**/*.test.ts'] },
  {
    name: 'unit',
    tests: ['src/**/*.test.ts'],
    packages: ['iproute2', 'strace', 'openssl', 'nftables', 'iptables', 'zstd', 'xz-utils', 'bzip2'],
    tools: ['tools/assemblyscript'],
  },
  {
    name: 'conformance',
    tests: ['test/conformance/**/*.test.ts'],
    packages: ['golang-go', 'golang-golang-x-mod-dev', 'openssl', 'xxd', 'zstd'],
  },
  {
    name: 'acceptance',
    tests: ['test/acceptance/**/*.test.ts'],
    serial: true,
    lane: 'one',
    packages: [
      'rsyslog',
      'bsdutils',
      'lsof',
      'strace',
      'openssl',
      'iproute2',
      'nftables',
      'exim4-daemon-light',
    ],
  },
  {
    name: 'senders',
    tests: ['test/senders/**/*.test.ts'],
    serial: true,
    lane: 'other',
    packages: [
      'systemd-journal-remote',
      'curl',
      'openssl',
      'bsdutils',
      'rsyslog',
      'rsyslog-elasticsearch',
      'rsyslog-relp',
      'rsyslog-gnutls',
      'rsyslog-openssl',
      'nginx-light',
      'golang-go',
      'golang-github-graylog2-go-gelf-dev',
    ],
    tools: ['tools/otel-sender'],
  },
  { name: 'detection', tests: ['test/detection/**/*.test.ts'], serial: true, lane: 'other' },
  { name: 'faults', tests: ['test/faults/**/*.test.ts'], serial: true, lane: 'other', packages: ['strace'] },
  { name: 'hostile', tests: ['test/hostile/**/*.test.ts'], serial: true, packages: ['util-linux'] },
  {
    name: 'fleet',
    tests: ['test/fleet/**/*.test.ts'],
    serial: true,
    lane: 'other',
    packages: ['systemd-container', 'debootstrap', 'iproute2', 'util-linux', 'nmap', 'gcc', 'libc6-dev'],
    cannotRun: () =>
      process.getuid?.() !== 0
        ? 'only root can start whole hosts in systemd-nspawn'
        : onPath('systemd-nspawn') && onPath('debootstrap')
          ? null
          : 'systemd-nspawn and debootstrap are not installed (apt-get install systemd-container debootstrap)',
  },
  {
    name: 'browser',
    tests: ['test/browser/**/*.test.ts'],
    serial: true,
    lane: 'other',
    packages: ['chromium'],
    cannotRun: () => (onPath('chromium') ? null : 'chromium is not installed (apt-get install chromium)'),
  },
];
