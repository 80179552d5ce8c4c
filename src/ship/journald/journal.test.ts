import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '#base/clock';
import { connectOwn, type Deliverer } from '../deliver.ts';
import type { Source } from '../source.ts';
import { distinct, receivedIn, serveOwn, type Received } from '../testing/own-server.ts';
import { place, quiet, until, type Place } from '../testing/place.ts';
import { followJournal } from './journal.ts';
import { findJournalctl, journalFiles } from './journalctl.ts';
import { isOwnEntry } from './own.ts';

const clock = systemClock();
const journald = '/lib/systemd/systemd-journald';
const program = findJournalctl();

const whyNot =
  process.getuid?.() !== 0
    ? 'needs root, to run a systemd-journald in a mount namespace of its own'
    : program === null || !existsSync(journald)
      ? 'systemd-journald is not installed'
      : spawnSync('unshare', ['--mount', 'true']).status !== 0
        ? 'this machine does not let root make mount namespaces'
        : false;

/** A real systemd-journald with a /run of its own, whose journal is in `directory`. */
const runJournald = async (at: Place, directory: string): Promise<(entry: string) => void> => {
  const configuration = join(at.root, 'journald.conf');
  writeFileSync(
    configuration,
    '[Journal]\nStorage=volatile\nAudit=no\nReadKMsg=no\nRateLimitBurst=0\nForwardToSyslog=no\n',
  );
  // Entries come as lines of fields separated by tabs; each goes to logger(1), which speaks journald's own protocol.
  // `rotate` makes journald begin a new file (SIGUSR2).
  const script = `
    mount -t tmpfs tmpfs /run && mkdir -p /run/log/journal /run/systemd/journal || exit 1
    mount --bind ${directory} /run/log/journal && mount --bind ${configuration} /etc/systemd/journald.conf || exit 1
    ${journald} & JOURNALD=$!
    until [ -S /run/systemd/journal/socket ]; do sleep 0.02; done
    echo ready
    while IFS= read -r entry; do [ "$entry" = rotate ] && kill -USR2 $JOURNALD && continue; printf '%s\\n' "$entry" | tr '\\t' '\\n' | logger --journald; done
    kill $JOURNALD; wait $JOURNALD`;
  const child = spawn('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', script], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  at.after(async () => {
    child.stdin.end();
    if (child.exitCode === null) await once(child, 'exit');
  });
  await once(child.stdout, 'data');
  return (entry) => void child.stdin.write(`${entry}\n`);
};

test('a real journal: backfill, live entries, restart, own entries left out', { skip: whyNot }, async (t) => {
  const at = place(t);
  const directory = join(at.root, 'journal');
  mkdirSync(directory);
  const write = await runJournald(at, directory);
  for (let i = 0; i < 20; i++) write(`MESSAGE=old ${i}\tSYSLOG_IDENTIFIER=test\tEXTRA=${i}`);
  await until('the journal has them', () => {
    const printed = spawnSync(program ?? '', ['--directory', directory, '-o', 'cat']).stdout.toString();
    return printed.includes('old 19');
  });
  const server = await serveOwn(at.socket, at.received);
  at.after(() => server.close());
  const start = async (): Promise<{ deliverer: Deliverer; source: Source; stop(): Promise<void> }> => {
    const deliverer = await connectOwn({
      socket: at.socket,
      spool: at.spool,
      sender: 't',
      stream: 't',
      clock,
      log: quiet().log,
    });
    const source = followJournal({
      deliverer,
      program: program ?? '',
      directory,
      trusted: new Set(['0']),
      host: () => 'h',
      clock,
      log: quiet().log,
      fail: (error) => assert.fail(String(error)),
    });
    const stop = async (): Promise<void> => {
      await source.stop();
      await deliverer.close(1000);
    };
    at.after(stop);
    return { deliverer, source, stop };
  };
  const lines = (): Received[] => distinct(receivedIn(at.received));
  const messages = (): string[] =>
    lines().flatMap((got) => /^MESSAGE=((?:old|new|later) \d+)$/m.exec(got.raw.toString())?.[1] ?? []);

  const first = await start();
  await until('the old entries are there', () => messages().length === 20);
  assert.ok(lines().every((got) => got.meta.via === 'journal' && got.meta.backfill === true));
  await until('the backfill is done', () => !first.deliverer.cursors.has('journal:back'));
  write('MESSAGE=new 1\tSYSLOG_IDENTIFIER=test');
  write('MESSAGE=not to be shipped\tSYSLOG_IDENTIFIER=holdfast');
  write('MESSAGE=new 2\tSYSLOG_IDENTIFIER=test');
  await until('the new entries are there', () => messages().length === 22);
  assert.equal(first.source.counts()['own'], 1);
  const live = lines().filter((got) => got.meta.backfill === undefined);
  assert.equal(live.length, 2);
  assert.match(live[0]?.raw.toString() ?? '', /^__CURSOR=[^\n]+\n(?:[^\n]+\n)+$/);
  assert.ok(live[0]?.raw.toString().includes(`__CURSOR=${live[0].meta.cursor}\n`));
  await first.stop();

  write('MESSAGE=later 1\tSYSLOG_IDENTIFIER=test');
  const second = await start();
  await until('the later entry is there', () => messages().includes('later 1'));
  write('MESSAGE=later 2\tSYSLOG_IDENTIFIER=test');
  await until('the last entry is there', () => messages().includes('later 2'));
  await second.stop();
  const all = messages();
  assert.equal(new Set(all).size, 24);
  assert.equal(all.length, 24);
  assert.deepEqual(
    lines().filter((got) => got.meta.via === 'self'),
    [],
  );
});

test(
  'entries that vacuuming removed before they were read are told as a loss',
  { skip: whyNot },
  async (t) => {
    const at = place(t);
    const directory = join(at.root, 'journal');
    mkdirSync(directory);
    const write = await runJournald(at, directory);
    const journalctl = (...parameters: string[]): string =>
      spawnSync(program ?? '', ['--directory', directory, ...parameters]).stdout.toString();
    for (let i = 0; i < 5; i++) write(`MESSAGE=early ${i}`);
    await until('the journal has them', () => journalctl('-o', 'cat').includes('early 4'));
    const after = /^__CURSOR=(.+)$(?=[^]*?^MESSAGE=early 0$)/m.exec(
      journalctl('-o', 'export', '-g', '^early 0$'),
    )?.[1];
    write('rotate');
    write('MESSAGE=late');
    await until('the journal has the last', () => journalctl('-o', 'cat').includes('late'));
    journalctl('--vacuum-files=1');
    assert.ok(!journalctl('-o', 'cat').includes('early'));

    const server = await serveOwn(at.socket, at.received);
    at.after(() => server.close());
    const deliverer = await connectOwn({
      socket: at.socket,
      spool: at.spool,
      sender: 't',
      stream: 't',
      clock,
      log: quiet().log,
    });
    at.after(() => deliverer.close(0));
    await deliverer.put([], { journal: { after } });
    const source = followJournal({
      deliverer,
      program: program ?? '',
      directory,
      trusted: new Set(),
      host: () => 'h',
      clock,
      log: quiet().log,
      fail: (error) => assert.fail(String(error)),
    });
    at.after(() => source.stop());
    await until('what is left is there', () =>
      receivedIn(at.received).some((got) => got.raw.includes('MESSAGE=late')),
    );
    const told = JSON.parse(
      receivedIn(at.received)
        .find((got) => got.meta.via === 'self')
        ?.raw.toString() ?? '{}',
    );
    assert.deepEqual([told.kind, told.via, told.after], ['loss', 'journal', after]);
    assert.ok(told.count >= 4, `at least early 1 to 4 are missing, it says ${told.count}`);
  },
);

const entry = (fields: Record<string, string>): Map<string, string> => new Map(Object.entries(fields));

test('an identifier hides an entry only for users who could stop the agent', () => {
  const trusted = new Set(['0', '61705']);
  assert.ok(isOwnEntry(entry({ _SYSTEMD_UNIT: 'holdfast.service', _UID: '61701' }), trusted));
  assert.ok(isOwnEntry(entry({ _SYSTEMD_UNIT: 'holdfast-agent.service', _UID: '61701' }), trusted));
  assert.ok(isOwnEntry(entry({ SYSLOG_IDENTIFIER: 'holdfast', _UID: '61705' }), trusted));
  assert.ok(!isOwnEntry(entry({ SYSLOG_IDENTIFIER: 'holdfast', _UID: '1000' }), trusted));
  assert.ok(!isOwnEntry(entry({ SYSLOG_IDENTIFIER: 'holdfast' }), trusted));
  assert.ok(!isOwnEntry(entry({ _SYSTEMD_USER_UNIT: 'holdfast.service', _UID: '1000' }), trusted));
  assert.ok(!isOwnEntry(entry({ _SYSTEMD_UNIT: 'holdfastened.service', _UID: '0' }), trusted));
});

test('journal files are found, and what may not be opened is said', (t) => {
  const at = place(t);
  assert.deepEqual(journalFiles([join(at.root, 'none')]), { found: [], couldNotLook: [] });
  mkdirSync(join(at.root, 'machine'));
  writeFileSync(join(at.root, 'machine', 'system.journal'), '');
  assert.deepEqual(journalFiles([at.root]), {
    found: [join(at.root, 'machine', 'system.journal')],
    couldNotLook: [],
  });
});
