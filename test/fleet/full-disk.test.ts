import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { noFleet } from './able.ts';
import { packages } from './cacti.ts';
import { startHost, type Host } from './host.ts';
import { withHoldfast } from './with-holdfast.ts';

/** A disk that is full when a fix, or its undo, would write: nothing is lost, and it is put back as soon as there is room. */
const skip = noFleet() ?? false;
const endings: (() => Promise<void>)[] = [];
let host: Host;

before(async () => {
  if (skip !== false) return;
  host = await startHost(
    { after: (end) => void endings.push(end) },
    withHoldfast({ name: 'full', packages }),
  );
  for (const directory of ['/etc/apache2', '/var/lib/holdfast'])
    await host.ok([
      'sh',
      '-ec',
      `mkdir -p ${directory}; cp -a ${directory} /root/copy; mount -t tmpfs -o size=2m tmpfs ${directory}
       cp -a /root/copy/. ${directory}; rm -r /root/copy`,
    ]);
});

after(async () => {
  for (const end of endings.toReversed()) await end();
});

const holdfast = async (...args: string[]): ReturnType<Host['run']> =>
  host.run(['holdfast', 'services', ...args]);

const fill = async (directory: string): Promise<void> =>
  void (await host.run(['sh', '-c', `cat /dev/zero > ${directory}/fill`]));

const free = async (directory: string): Promise<string> => host.ok(['rm', `${directory}/fill`]);

const listens = async (): Promise<string> =>
  host.ok(['grep', '-c', '^Listen 80$', '/etc/apache2/ports.conf']);

test('the fix cannot write: the file is as before, and so is the door', { skip }, async () => {
  await fill('/etc/apache2');
  const { status, stdout } = await holdfast('fix', 'Apache', '--watch', '0s');
  assert.equal(status, 1, stdout);
  assert.match(stdout, /✗ broke +it could not go on: ENOSPC/);
  assert.match(stdout, /Undone, everything is as before/);
  assert.equal(await listens(), '1\n');
  await free('/etc/apache2');
});

test('the undo cannot write: it says so, and is done when there is room', { skip }, async () => {
  assert.equal((await holdfast('fix', 'Apache', '--watch', '0s')).status, 0);
  await fill('/etc/apache2');
  const full = await holdfast('undo');
  assert.equal(full.status, 3, full.stdout);
  assert.match(
    full.stderr.replaceAll(/\s+/g, ' '),
    /not put back: \/etc\/apache2\/ports\.conf: ENOSPC.*run it again/,
  );
  await free('/etc/apache2');
  const { status, stdout } = await holdfast('undo');
  assert.equal(status, 0, stdout);
  assert.equal(await listens(), '1\n');
});

test('the journal cannot be written: all is put back, and the next undo says so', { skip }, async () => {
  assert.equal((await holdfast('fix', 'Apache', '--watch', '0s')).status, 0);
  // A page of the journal that has room still is no full disk.
  await host.ok(['mount', '-o', 'remount,ro', '/var/lib/holdfast']);
  const full = await holdfast('undo');
  assert.equal(full.status, 3, `${full.stdout}${full.stderr}`);
  assert.match(full.stderr.replaceAll(/\s+/g, ' '), /all is put back.*EROFS.*run it again/);
  assert.equal(await listens(), '1\n');
  await host.ok(['mount', '-o', 'remount,rw', '/var/lib/holdfast']);
  const { status, stdout } = await holdfast('undo');
  assert.equal(status, 0, stdout);
  assert.match(stdout, /✓ undone/);
});
