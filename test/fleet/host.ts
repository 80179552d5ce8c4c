import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeControlGroup } from './cgroup.ts';
import { bridge, makeNetwork, prefixLength, type Network } from './network.ts';
import { childrenOf, programOf, sharePidNamespace } from './process.ts';
import { plainEnvironment, runProgram, type Outcome, type RunOptions } from './run.ts';
import { treeOf, type Archives, type Suite } from './tree.ts';

/** What of a test context is needed. In a file's `before` it is the file's own: what `after` is given there ends with the hook. */
export type Context = { after(act: () => Promise<void>): void };

export type HostOptions = {
  /** Its name on the network, and its machine's; at most 10 letters and digits. Default: `host`, `host2`, … */
  name?: string;
  /** Default: bookworm (Debian 12). */
  suite?: Suite;
  /** Debian packages beyond a minimal system with systemd and journald, e.g. `openssh-server`. */
  packages?: readonly string[];
  /** Whether apt's cache has the archives of those packages. Default: cleaned. */
  archives?: Archives;
  /** Files of this machine that the host sees, read-only. */
  bind?: readonly { from: string; to: string }[];
  /** Lays files into its root before the first start. */
  prepare?: (root: string) => void;
};

/** A whole host: its own init, journal, users, processes, files and network. */
export type Host = {
  name: string;
  /** On the network that it shares with the fleet's other hosts. */
  address: string;
  /** Its root directory as seen from here, also while it is stopped (without what it mounts itself). */
  root: string;
  /** Runs a program in it, as its root. */
  run(command: readonly string[], options?: RunOptions): Promise<Outcome>;
  /** The same, and fails unless it ends with status 0. @returns what it printed */
  ok(command: readonly string[], options?: RunOptions): Promise<string>;
  /** Puts a command into it, for who wants to spawn it himself. */
  enter(command: readonly string[]): string[];
  /** Process id of its init as seen from here. */
  init(): number;
  /** Shuts it down in order, as `poweroff` does. Its files stay until the fleet ends. */
  stop(): Promise<void>;
  /** Takes its power away: no process in it gets to do anything more. */
  powerCut(): Promise<void>;
  /** Starts it again. */
  start(): Promise<void>;
};

/** Hosts on one private network. */
export type Fleet = {
  network: Network;
  startHost(options?: HostOptions): Promise<Host>;
};

/** A network for hosts. All of it ends when the test does. */
export const startFleet = async (t: Context): Promise<Fleet> => {
  const network = await makeNetwork();
  const hosts: Host[] = [];
  t.after(async () => {
    await Promise.all(hosts.map((host) => host.powerCut()));
    await network.close();
  });
  return {
    network,
    async startHost(options = {}) {
      const name = options.name ?? `host${hosts.length === 0 ? '' : hosts.length + 1}`;
      const lower = await treeOf(options.suite ?? 'bookworm', options.packages ?? [], options.archives);
      const host = await makeHost(network, name, lower, options);
      for (const other of hosts) knowEachOther(host, other);
      hosts.push(host);
      await host.start();
      return host;
    },
  };
};

/** One host on a network of its own. */
export const startHost = async (t: Context, options: HostOptions = {}): Promise<Host> =>
  (await startFleet(t)).startHost(options);

const knowEachOther = (one: Host, other: Host): void => {
  appendFileSync(join(one.root, 'etc', 'hosts'), `${other.address} ${other.name}\n`);
  appendFileSync(join(other.root, 'etc', 'hosts'), `${one.address} ${one.name}\n`);
};

const bootWithinMs = 180_000;

const makeHost = async (
  network: Network,
  name: string,
  lower: readonly string[],
  options: HostOptions,
): Promise<Host> => {
  // The end of its link on the bridge is called vb-NAME, and names of links are short (IFNAMSIZ).
  if (!/^[a-z][a-z0-9]{0,9}$/.test(name)) throw new Error(`'${name}' is no name for a host`);
  const address = network.nextAddress();
  const part = (below: string): string => join(network.inside, name, below);
  for (const below of ['upper', 'work', 'root'])
    mkdirSync(join(network.outside, name, below), { recursive: true });
  const layers = `lowerdir=${lower.join(':')},upperdir=${part('upper')},workdir=${part('work')}`;
  const mounted = await network.run(['mount', '-t', 'overlay', 'overlay', '-o', layers, part('root')]);
  if (mounted.status !== 0) throw new Error(`no root for ${name}: ${mounted.stderr}`);
  const root = join(network.outside, name, 'root');
  writeFileSync(join(root, 'etc', 'hostname'), `${name}\n`);
  writeFileSync(join(root, 'etc', 'hosts'), `127.0.0.1 localhost\n::1 localhost\n${address} ${name}\n`);
  options.prepare?.(root);

  let running: { nspawn: number; init: number; ended: Promise<void> } | null = null;
  const enter = (command: readonly string[]): string[] => {
    if (running === null) throw new Error(`${name} is not running`);
    return ['nsenter', '--all', `--target=${running.init}`, '--root', '--wd', '--', ...command];
  };
  const run: Host['run'] = async (command, runOptions) => runProgram(enter(command), runOptions);
  const ok: Host['ok'] = async (command, runOptions) => {
    const { status, stdout, stderr } = await run(command, runOptions);
    if (status !== 0)
      throw new Error(`${name}: ${command.join(' ')} ended with status ${status}:\n${stdout}${stderr}`);
    return stdout;
  };
  return {
    name,
    address,
    root,
    enter,
    run,
    ok,
    init: () => running?.init ?? 0,
    async start() {
      const group = makeControlGroup(name);
      const { entered, printed } = boot(network, name, part('root'), group.join, options.bind ?? []);
      const exited = once(entered, 'exit').then(() => undefined);
      const ended = exited.then(async () => {
        running = null;
        await group.remove();
      });
      try {
        const { nspawn, init } = await firstProcesses(entered);
        running = { nspawn, init, ended };
        const linked = await runProgram([
          'nsenter',
          `--net=/proc/${init}/ns/net`,
          'sh',
          '-ec',
          connect(address),
        ]);
        if (linked.status !== 0) throw new Error(`no address for ${name}: ${linked.stderr}`);
        await booted(run);
      } catch (error) {
        for (const pid of [
          ...childrenOf(entered.pid ?? 0).flatMap(childrenOf),
          ...childrenOf(entered.pid ?? 0),
        ])
          process.kill(pid, 'SIGKILL');
        await ended;
        throw new Error(`${name} did not start:\n${printed()}`, { cause: error });
      }
    },
    async stop() {
      if (running === null) return;
      const { nspawn, ended } = running;
      // nspawn passes it on to init as the signal that halts it in order.
      process.kill(nspawn, 'SIGTERM');
      await ended;
    },
    async powerCut() {
      if (running === null) return;
      const { init, ended } = running;
      process.kill(init, 'SIGKILL');
      await ended;
    },
  };
};

const connect = (address: string): string =>
  `ip address add ${address}/${prefixLength} dev host0; ip link set host0 up`;

/** Starts nspawn in a control group of its own. */
const boot = (
  network: Network,
  name: string,
  root: string,
  groups: readonly string[],
  bind: readonly { from: string; to: string }[],
): { entered: ChildProcess; printed(): string } => {
  const [file = '', ...args] = network.enter([
    'sh',
    '-ec',
    'for group in $GROUPS_TO_JOIN; do echo $$ > "$group"; done; exec "$@"',
    'sh',
    'systemd-nspawn',
    '--quiet',
    `--directory=${root}`,
    `--machine=${name}`,
    '--boot',
    '--register=no',
    '--keep-unit',
    `--network-bridge=${bridge}`,
    '--link-journal=no',
    '--resolv-conf=off',
    '--timezone=off',
    '--console=read-only',
    ...bind.map(({ from, to }) => `--bind-ro=${from}:${to}`),
  ]);
  const entered = spawn(file, args, {
    // Newer releases of systemd start on the unified hierarchy alone. nspawn's own filter keeps its systemd from loading
    // what IPAddressDeny= is made of.
    env: {
      ...plainEnvironment,
      SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: '1',
      SYSTEMD_SECCOMP: '0',
      GROUPS_TO_JOIN: groups.join(' '),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [entered.stdout, entered.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (said = `${said}${text}`.slice(-8000)));
  return { entered, printed: () => said };
};

/**
 * Waits until nspawn has started the host's own first process.
 * @param entered who entered the network and became nspawn's parent thereby
 */
const firstProcesses = async (entered: ChildProcess): Promise<{ nspawn: number; init: number }> => {
  for (let waited = 0; waited < bootWithinMs; waited += 20) {
    if (entered.exitCode !== null || entered.signalCode !== null) throw new Error('nspawn ended');
    for (const nspawn of childrenOf(entered.pid ?? 0)) {
      // Past nspawn's own preparations it runs the host's systemd.
      const init = childrenOf(nspawn).find(
        (pid) => !sharePidNamespace(pid, nspawn) && programOf(pid) === 'systemd',
      );
      if (init !== undefined) return { nspawn, init };
    }
    await sleep(20);
  }
  throw new Error('nspawn started no init');
};

const booted = async (run: Host['run']): Promise<void> => {
  for (let waited = 0; waited < bootWithinMs; waited += 100) {
    const { stdout } = await run(['systemctl', 'is-system-running', '--wait']);
    // `degraded`: some unit failed; that is for the test to judge.
    if (['running', 'degraded'].includes(stdout.trim())) return;
    await sleep(100);
  }
  throw new Error('its system manager does not say that it runs');
};
