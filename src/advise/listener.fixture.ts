import type { HolderProcess, InitSystem, Listener } from '#inspect';
import type { Finding } from '#wire/audit';
import { findServices } from './services.ts';

/** A process of the daemon user, packaged unless said otherwise. */
export const holder = (exe: string | null, more: Partial<HolderProcess> = {}): HolderProcess => ({
  pid: 812,
  exe,
  deleted: false,
  script: null,
  user: 'daemon',
  uid: 1,
  unit: null,
  package: 'thing-server',
  packageRequired: false,
  interpreter: false,
  version: null,
  args: [],
  enabled: null,
  startedAt: null,
  container: null,
  ...more,
});

/** A TCP listener on every IPv4 address, port 4242. */
export const listener = (more: Partial<Listener>): Listener => ({
  protocol: 'tcp',
  address: '0.0.0.0',
  port: 4242,
  v6only: null,
  device: null,
  netns: { inode: 4026531840, name: null, own: true, container: null },
  holder: 'process',
  processes: [holder('/usr/sbin/thing')],
  scope: 'public',
  uid: 1,
  inodes: [1],
  transient: null,
  socketUnit: null,
  activates: null,
  forwardsTo: null,
  translatedBy: null,
  listeningSince: null,
  permissions: null,
  kernelService: null,
  whyUnseen: null,
  ...more,
});

export const judgedUnder = (init: InitSystem, ...listeners: Partial<Listener>[]): Finding[] =>
  findServices({
    listeners: listeners.map(listener),
    namespaces: [],
    init,
    unreadable: [],
    couldNotLook: [],
    milliseconds: 1,
  });

export const judged = (...listeners: Partial<Listener>[]): Finding[] => judgedUnder('systemd', ...listeners);

export const action = (found: readonly Finding[], step: string): string | undefined =>
  found[0]?.options.find((option) => option.step === step)?.action;

export const steps = (found: readonly Finding[]): string[] =>
  found.flatMap(({ options }) => options.map(({ step }) => step));
