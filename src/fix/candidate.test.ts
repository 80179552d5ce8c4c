import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { runOnCandidate, tryDaemon } from './candidate.ts';

const able =
  spawnSync('unshare', ['--mount', '--net', '--pid', '--fork', '--mount-proc', 'true']).status === 0;
const skip = process.geteuid?.() === 0 && able ? false : 'needs root and namespaces';
const path = '/etc/holdfast-candidate-test.conf';

const trial = async (command: string): Promise<string> => {
  const { stdout, stderr } = await runOnCandidate(
    [{ path, text: 'as it is to be\n' }],
    ['sh', '-c', command],
    { network: 'own', user: 'nobody', group: '' },
  );
  return `${stdout}${stderr}`;
};

test('a trial runs as the user of its unit, and reads the files as they are to be', { skip }, async () => {
  assert.equal(await trial(`id -un; cat ${path}`), 'nobody\nas it is to be\n');
  assert.equal(existsSync(path), false);
});

test('a trial can write to layers alone, and gains nothing by a set-user-ID program', { skip }, async () => {
  const said = await trial(
    `grep -E '^(NoNewPrivs|CapEff)' /proc/self/status; touch /var/tmp/holdfast-x /tmp/holdfast-x && echo layers; awk '{ options[$2] = $4 } END { for (at in options) if (options[at] !~ /^ro/ && at !~ "^/(etc|var|run|tmp|dev(/[a-z]+)?)$" && at !~ "^/run/holdfast-candidate-[^/]+/scratch") print "writable:", at }' /proc/self/mounts`,
  );
  assert.match(said, /^CapEff:\t0+\nNoNewPrivs:\t1\nlayers\n$/);
  assert.equal(existsSync('/var/tmp/holdfast-x') || existsSync('/tmp/holdfast-x'), false);
});

test('a daemon that is killed at once has not started; one that heeds no SIGTERM has', { skip }, async () => {
  const starts = async (command: string) =>
    tryDaemon([], ['sh', '-c', command], { network: 'own', user: 'nobody', group: '' });
  const [killed, stubborn, ended] = await Promise.all([
    starts('kill -KILL $$'),
    starts('trap "" TERM; while :; do sleep 1; done'),
    starts('echo no such option >&2; exit 2'),
  ]);
  assert.match(killed ?? '', /ended at once: status 137$/);
  assert.equal(stubborn, null);
  assert.match(ended ?? '', /ended at once: no such option$/);
});

test('a checker is root without the rights to leave its namespaces', { skip }, async () => {
  const { stdout } = await runOnCandidate(
    [{ path, text: 'as it is to be\n' }],
    [
      'sh',
      '-c',
      `id -un; cat ${path}; mount -o remount,rw /usr || touch /usr/holdfast-x || ls -d /proc/[0-9]* | wc -l`,
    ],
  );
  assert.match(stdout, /^root\nas it is to be\n[1-9]\n$/);
  assert.equal(existsSync('/usr/holdfast-x'), false);
});

test('what is mounted below /var is there, and is not written to', { skip }, async () => {
  const { stdout, stderr } = await promisify(execFile)('unshare', [
    '--mount',
    'sh',
    '-ec',
    'mount -t tmpfs tmpfs /var/tmp; echo here > /var/tmp/here; "$0" --disable-warning=ExperimentalWarning --input-type=module --eval "$1"; cat /var/tmp/here',
    process.execPath,
    `import { runOnCandidate } from '${import.meta.dirname}/candidate.ts'; process.stdout.write((await runOnCandidate([], ['sh', '-c', 'cat /var/tmp/here; echo there > /var/tmp/here; cat /var/tmp/here'])).stdout)`,
  ]);
  assert.equal(stdout, 'here\nthere\nhere\n', stderr);
});

test('a mount that is hidden below another is no obstacle', { skip }, async () => {
  const { stdout, stderr } = await promisify(execFile)('unshare', [
    '--mount',
    'sh',
    '-ec',
    'mount -t tmpfs tmpfs /mnt; mkdir /mnt/below; mount -t tmpfs tmpfs /mnt/below; mount -t tmpfs tmpfs /mnt; exec "$0" --disable-warning=ExperimentalWarning --input-type=module --eval "$1"',
    process.execPath,
    `import { runOnCandidate } from '${import.meta.dirname}/candidate.ts'; process.stdout.write(JSON.stringify(await runOnCandidate([], ['id', '-un'], { network: 'own', user: 'nobody', group: '' })))`,
  ]);
  assert.equal(JSON.parse(stdout).stdout, 'nobody\n', stdout + stderr);
});

test('a new file whose directory leads out of /etc is not tried on the host', { skip }, async (t) => {
  const outside = `/var/tmp/holdfast-outside-${process.pid}`;
  const link = `/etc/holdfast-link-${process.pid}`;
  mkdirSync(outside);
  symlinkSync(outside, link);
  t.after(() => {
    rmSync(link);
    rmSync(outside, { recursive: true });
  });
  const { status, stderr } = await runOnCandidate([{ path: `${link}/new.conf`, text: 'x' }], ['true']);
  assert.equal(status, 1);
  assert.match(stderr, /outside \/etc/);
  assert.deepEqual(readdirSync(outside), []);
});

test('what a killed process has left is taken away', { skip }, async () => {
  const left = `/run/holdfast-candidate-${2 ** 22 + 1}-left`;
  mkdirSync(left);
  await runOnCandidate([{ path, text: 'x' }], ['true']);
  assert.equal(existsSync(left), false);
});

test('what is mounted below /etc stays there', { skip }, async () => {
  const hosts = readFileSync('/etc/hosts', 'utf8');
  const { stdout } = await runOnCandidate([{ path, text: 'x' }], ['cat', '/etc/hosts']);
  assert.equal(stdout, hosts);
});
