import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { collectServices } from '../services/index.ts';
import { collectIsolation, type IsolationReport } from './index.ts';

const root = process.geteuid?.() === 0;
const needsRoot = root ? false : 'takes root';
const installed = (program: string): boolean => spawnSync(program, ['--version']).error === undefined;

const detect = (what: string) => spawnSync('systemd-detect-virt', [what], { encoding: 'utf8' }).stdout.trim();

test(
  'agrees with systemd-detect-virt',
  { skip: installed('systemd-detect-virt') ? false : 'systemd-detect-virt is not installed' },
  async () => {
    const { machine, container } = await collectIsolation();
    const vm = detect('--vm');
    if (machine.kind !== 'unknown')
      assert.equal(machine.kind === 'virtual machine', vm !== 'none', JSON.stringify(machine));
    if (machine.hypervisor !== null) assert.equal(machine.hypervisor, vm);

    const kind = detect('--container');
    if (container.inside === true) assert.equal(container.kind, kind);
    // systemd goes by marker files alone; where namespaces contradict one, that is said.
    else if (kind !== 'none') assert.match(container.evidence.join(), /exists, but that is all/);
  },
);

const listener = `import { createServer } from 'node:net';
  const server = createServer().listen(0, '127.0.0.1', () => console.log(server.address().port));
  process.stdin.on('end', () => process.exit(0)).resume();`;

test('a service that listens, and what confines it', { skip: needsRoot }, async (t) => {
  const start = async (command: string, args: string[]) => {
    const child = spawn(command, [...args, process.execPath, '--input-type=module', '-e', listener], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    t.after(async () => {
      const ended = once(child, 'exit');
      child.stdin.end();
      await ended;
    });
    const [port] = await once(child.stdout, 'data');
    return Number(String(port));
  };
  const free = await start('env', []);
  const confined = await start('setpriv', [
    '--reuid=65534',
    '--regid=65534',
    '--clear-groups',
    '--no-new-privs',
  ]);
  const { services } = await collectIsolation({ services: collectServices() });
  const of = (port: number) =>
    services.find(({ listens }) => (listens ?? []).some((one) => one.port === port));

  assert.equal(of(free)?.root, true);
  assert.ok(of(free)?.capabilities.includes('CAP_SYS_ADMIN'));
  assert.equal(of(confined)?.root, false);
  assert.deepEqual(of(confined)?.capabilities, []);
  assert.equal(of(confined)?.noNewPrivileges, true);
  assert.notEqual(of(free), of(confined), 'two users are two services');
  assert.deepEqual(of(confined)?.ownNamespaces, []);
});

/** Runs the collector as a program, in surroundings of its own. */
const elsewhere = (command: string[], options: { uid?: number } = {}): IsolationReport => {
  const program = `import { collectIsolation } from ${JSON.stringify(join(import.meta.dirname, 'index.ts'))};
    process.stdout.write(JSON.stringify(await collectIsolation()));`;
  const [first = '', ...rest] = [...command, process.execPath, '--input-type=module', '-e', program];
  return JSON.parse(
    execFileSync(first, rest, { encoding: 'utf8', cwd: '/', stdio: ['ignore', 'pipe', 'pipe'], ...options }),
  );
};

test('a PID namespace and a user namespace are seen from inside', { skip: needsRoot }, () => {
  const apart = elsewhere(['unshare', '--pid', '--fork', '--mount-proc', '--user', '--map-root-user']);
  assert.equal(apart.container.inside, true);
  assert.notEqual(apart.container.kind, null);
  assert.equal(apart.userNamespace, true);
  assert.equal(apart.chroot, false);
});

test('a chroot is seen from inside', { skip: needsRoot }, (t) => {
  const cage = mkdtempSync(join(tmpdir(), 'holdfast-chroot-'));
  const project = join(import.meta.dirname, '../../..');
  // Only ever removes empty directories: what is mounted here belongs to others.
  t.after(() =>
    execFileSync('rmdir', ['-p', '--ignore-fail-on-non-empty', ...inside.map((path) => join(cage, path))]),
  );
  const inside = ['usr', 'bin', 'lib', 'lib64', project.slice(1), 'proc'].filter((path) =>
    existsSync(`/${path}`),
  );
  for (const path of inside) mkdirSync(join(cage, path), { recursive: true });
  // The mounts are in a namespace of their own and go with it; PID 1 in there stays outside the cage.
  const script = `cage=$1; shift; for path in ${inside.filter((path) => path !== 'proc').join(' ')}; do
    mount --rbind "/$path" "$cage/$path" || exit 9; done; mount -t proc proc "$cage/proc" || exit 9
    chroot "$cage" "$@"; exit $?`;
  const unshare = ['unshare', '--mount', '--propagation=private', '--pid', '--fork', '--mount-proc'];
  const caged = elsewhere([...unshare, 'sh', '-c', script, 'sh', cage]);
  assert.equal(caged.chroot, true);
});

test('without root it says what it could not see', { skip: needsRoot }, () => {
  const report = elsewhere(['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']);
  assert.ok(report.couldNotLook.length > 0);
  assert.ok(report.couldNotLook.every(({ remedy }) => remedy !== ''));
  assert.ok(report.couldNotLook.some(({ remedy }) => remedy === 'run as root'));
  assert.equal(report.chroot, null);
  assert.ok(
    report.couldNotLook.some(({ what }) => what.startsWith('sockets held by')),
    'what is collected on the way is not kept to itself',
  );
  assert.ok(report.services.length > 0);
  assert.deepEqual(
    report.services.filter(({ listens }) => listens?.length === 0),
    [],
    'what listens where descriptors may not be read is not known',
  );
});

test('a caller that has the services reports their gaps itself', async () => {
  const services = await collectServices();
  services.couldNotLook.push({ what: 'a gap', why: 'of services', remedy: 'none' });
  const { couldNotLook } = await collectIsolation({ services });
  assert.ok(!couldNotLook.some(({ what }) => what === 'a gap'));
});

const unshared = ['unshare', '--mount', '--propagation=private', 'sh', '-c'];

test('without a procfs nothing is told, rather than that there is nothing', { skip: needsRoot }, () => {
  for (const blindness of ['umount -l /proc', 'mount -t tmpfs none /proc']) {
    const report = elsewhere([...unshared, `${blindness} && exec "$@"`, 'sh']);
    assert.equal(report.servicesSeen, 'none', blindness);
    assert.equal(report.container.inside, null, JSON.stringify(report.container));
    const gaps = report.couldNotLook.map(({ what }) => what).join('\n');
    assert.match(gaps, /^sockets and processes$/m);
    assert.match(gaps, /^services that share this system$/m);
    assert.match(gaps, /^whether this is a container$/m);
  }
});

test('with hidepid the services that were seen are not all', { skip: needsRoot }, () => {
  const script = 'mount -t proc -o hidepid=2 proc /proc && exec "$@"';
  const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--inh-caps=-all'];
  const report = elsewhere([...unshared, script, 'sh', ...nobody]);
  assert.equal(report.servicesSeen, 'some');
  assert.ok(
    report.couldNotLook.some(({ what }) => what === 'services that share this system, of other users'),
  );
});
