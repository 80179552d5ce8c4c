import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test, type TestContext } from 'node:test';
import { z } from 'zod';

const url = (file: string): string => JSON.stringify(new URL(file, import.meta.url).href);

/** Looks at this host in a process of its own, and prints what the tests below ask for. */
const looking = `
const [{ collectLogging }, { findStalePrograms }, { packageFinder }, { thisHost }, { systemClock }, { examineKernel }] =
  await Promise.all([import(${url('./index.ts')}), import(${url('../patches/stale-programs.ts')}),
    import(${url('../services/packages.ts')}), import(${url('../host.ts')}), import(${url('../../base/clock.ts')}),
    import(${url('../patches/kernel.ts')})]);
const logging = await collectLogging({ clock: systemClock() });
const stale = await findStalePrograms(thisHost, packageFinder());
console.log(JSON.stringify({ logging, stale, kernel: examineKernel(thisHost, []) }));`;

const gap = z.object({ what: z.string(), why: z.string(), remedy: z.string() });
const seen = z.object({
  logging: z.object({
    processesSeen: z.string(),
    leavesHost: z.boolean().nullable(),
    journal: z.object({ running: z.boolean().nullable() }),
    syslogSocket: z.object({ listening: z.boolean().nullable() }),
    clock: z.object({ daemon: z.string().nullable(), daemonKnown: z.boolean() }),
    audit: z.object({ running: z.boolean().nullable() }),
    couldNotLook: z.array(gap),
  }),
  stale: z.object({ result: z.string(), couldNotLook: z.array(gap) }),
  kernel: z.object({ running: z.object({ release: z.string() }) }),
});

/** In a mount namespace of its own, after `prepare`; `prefix` becomes somebody else. `null` = skipped. */
const lookIn = (t: TestContext, prepare: string, prefix: string): z.infer<typeof seen> | null => {
  if (process.getuid?.() !== 0) {
    t.skip('needs root to change mounts');
    return null;
  }
  const child = spawnSync(
    'unshare',
    ['-m', 'sh', '-c', `${prepare} || exit 99; exec ${prefix} "$0" "$@"`, process.execPath].concat(
      '--input-type=module',
      '-e',
      looking,
    ),
    { cwd: '/', encoding: 'utf8' },
  );
  if (child.error !== undefined || child.status === 99 || /^unshare:/m.test(child.stderr)) {
    t.skip(`mounts cannot be changed here: ${child.stderr}`);
    return null;
  }
  assert.equal(child.status, 0, child.stderr);
  return seen.parse(JSON.parse(child.stdout));
};

const nobody = 'setpriv --reuid 65534 --regid 65534 --clear-groups';

test('without a procfs, no daemon is said not to run and no program to be fresh', (t) => {
  const looked = lookIn(t, 'umount -l /proc', '');
  if (looked === null) return;
  const { logging, stale, kernel } = looked;
  assert.equal(logging.processesSeen, 'none');
  assert.equal(logging.leavesHost, null);
  assert.equal(logging.journal.running, null);
  assert.equal(logging.syslogSocket.listening, null);
  assert.equal(logging.audit.running, null);
  assert.equal(logging.clock.daemonKnown, false);
  assert.ok(logging.couldNotLook.some(({ what }) => what.includes('daemons run')));
  assert.ok(logging.couldNotLook.some(({ what }) => what.includes('/dev/log')));
  assert.equal(stale.result, 'could-not-look');
  assert.match(JSON.stringify(stale.couldNotLook), /mount -t proc/);
  assert.notEqual(kernel.running.release, '', 'uname(2) needs no procfs');
});

for (const hidden of ['2', '1']) {
  test(`with hidepid=${hidden}, others' daemons are unseen, not absent`, (t) => {
    const looked = lookIn(t, `mount -t proc -o hidepid=${hidden} proc /proc`, nobody);
    if (looked === null) return;
    const { logging, stale } = looked;
    assert.equal(logging.processesSeen, 'some');
    assert.equal(logging.leavesHost, null);
    assert.equal(logging.journal.running, null);
    assert.equal(logging.audit.running, null);
    assert.equal(logging.clock.daemonKnown, false);
    assert.match(JSON.stringify(logging.couldNotLook), /"remedy":"run as root"/);
    assert.notEqual(logging.syslogSocket.listening, null, '/proc/net/unix tells of everybody');
    assert.equal(stale.result, 'could-not-look');
  });
}
