import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { corpus } from '../../bench/corpus/corpus.ts';
import { tally } from '../../bench/corpus/tally.ts';
import type { IngestResult } from '../../bench/ingest.ts';
import type { TransportsResult } from '../../bench/transports.ts';
import type { UdpResult } from '../../bench/udp.ts';
import type { VerifyResult } from '../../bench/verify.ts';
import { documentedCommands } from '../harness/documents.ts';

const root = join(import.meta.dirname, '..', '..');
const scratch = mkdtempSync(join(tmpdir(), 'holdfast-bench-'));
after(() => rmSync(scratch, { recursive: true }));

type Ended = { status: number | null; stdout: string; stderr: string; pid: number };

/** @param onStderr called with all that was said so far, each time more is said */
const bench = (args: readonly string[], onStderr?: (text: string, pid: number) => void): Promise<Ended> =>
  new Promise((resolve, reject) => {
    const child = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', join(root, 'bench', 'run.ts'), ...args],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    const pid = child.pid ?? 0;
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
      onStderr?.(stderr, pid);
    });
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, stdout, stderr, pid }));
  });

const runDirectory = (pid: number): string => join(root, '.cache', 'bench', `run-${pid}`);

/** Processes whose command line names the directory of that run. */
const leftOver = (pid: number): string[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        return readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(runDirectory(pid));
      } catch {
        return false;
      }
    });

test('the ingest bench counts every line and prints the ratios', async (t) => {
  const { status, stdout, stderr, pid } = await bench(['ingest', '--lines', '20000', '--json']);
  if (status === 3) return t.skip(stderr.trim());
  assert.equal(status, 0, stderr);
  assert.match(stdout, /× lines\/s +× CPU/);
  assert.match(stdout, /20000 of 20000 lines, none lost, none twice, none changed/);
  const { rows }: IngestResult = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
  assert.deepEqual(
    rows.map(({ contender }) => contender),
    ['syslog-ng', 'syslog-ng, tuned', 'Holdfast, durable', 'Holdfast, provable', 'Holdfast, searchable'],
  );
  for (const row of rows) {
    for (const ratio of Object.values(row.ratios)) {
      for (const [name, value] of Object.entries(ratio))
        assert.ok(value > 0, `${row.contender}: ${name} ${value}`);
    }
    assert.ok(row.linesPerSecond > 0 && row.peakMB > 0 && row.diskMB > 0, row.contender);
  }
  assert.equal(existsSync(runDirectory(pid)), false);
  assert.deepEqual(leftOver(pid), []);
});

test('the transports bench counts every line over TLS and RELP and prints the ratios', async (t) => {
  const { status, stdout, stderr, pid } = await bench(['transports', '--lines', '20000', '--json']);
  if (status === 3) return t.skip(stderr.trim());
  assert.equal(status, 0, stderr);
  const { of }: TransportsResult = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
  assert.deepEqual(
    of.map(({ transport, rows }) => [transport, ...rows.map(({ contender }) => contender)]),
    [
      ['tls', 'rsyslog, TLS by OpenSSL', 'rsyslog, TLS by GnuTLS', 'Holdfast, TLS, durable'],
      ['relp', 'rsyslog, RELP', 'Holdfast, RELP, durable'],
    ],
  );
  for (const { rows, reference, senderLinesPerSecond } of of) {
    assert.ok(senderLinesPerSecond > 0);
    for (const row of rows) assert.ok((row.ratios[reference]?.linesPerSecond ?? 0) > 0, row.contender);
  }
  assert.equal(existsSync(runDirectory(pid)), false);
  assert.deepEqual(leftOver(pid), []);
});

test('the udp bench accounts for every datagram', async (t) => {
  const limit = '/proc/sys/net/core/rmem_max';
  const before = readFileSync(limit, 'utf8');
  const args = ['udp', '--lines', '20000', '--rate', '10000', '--seconds', '1', '--senders', '2', '--json'];
  const { status, stdout, stderr, pid } = await bench(args);
  if (status === 3) return t.skip(stderr.trim());
  assert.equal(status, 0, stderr);
  const { of }: UdpResult = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
  const [one] = of;
  assert.ok(one !== undefined && one.senders === 2);
  for (const { trials } of [one.syslogNg.plain, one.syslogNg.tuned, one.holdfast])
    assert.deepEqual([trials.length, trials[0]?.sent], [1, 10_000]);
  const [beyond] = one.beyond;
  assert.ok(beyond !== undefined && beyond.sent === 20_000);
  const counted = Object.values(beyond.counted ?? {}).reduce((sum, count) => sum + count, 0);
  assert.equal(beyond.stored + counted, beyond.sent);
  assert.equal(readFileSync(limit, 'utf8'), before);
  assert.equal(existsSync(runDirectory(pid)), false);
  assert.deepEqual(leftOver(pid), []);
});

test('the verify bench grows a vault, verifies it and prints the ratios to its peers', async () => {
  // More than the lines that it repeats, and no multiple of them.
  const { status, stdout, stderr, pid } = await bench([
    'verify',
    '--lines',
    '250000',
    '--runs',
    '2',
    '--json',
  ]);
  assert.equal(status, 0, stderr);
  assert.match(stdout, /lines\/s +wall s +CPU s\/M lines +peak MB/);
  assert.match(stdout, /250000 of 250000 lines/);
  const result: VerifyResult = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
  const [own, ...peers] = result.rows;
  assert.ok(own !== undefined && own.what === 'vault verify' && (own.peakMB ?? 0) > 0);
  assert.deepEqual(
    peers.map(({ what }) => what),
    Object.keys(result.ratios),
  );
  assert.equal(peers.length, 3);
  for (const row of result.rows) assert.ok(row.linesPerSecond > 0 && row.wallSeconds > 0, row.what);
  for (const [name, ratio] of Object.entries(result.ratios)) assert.ok(ratio > 0, `${name}: ${ratio}`);
  assert.equal(existsSync(runDirectory(pid)), false);
  assert.deepEqual(leftOver(pid), []);
});

test('an option of another bench is refused', async () => {
  const { status, stderr } = await bench(['verify', '--stage', 'durable']);
  assert.equal(status, 2);
  assert.match(stderr, /--stage is an option of ingest, not of verify/);
});

const documented = documentedCommands().filter(({ line }) => line.startsWith('npm run bench -- '));

test('docs/performance.md shows how to run the bench', () => {
  assert.ok(documented.filter(({ file }) => file === 'docs/performance.md').length >= 7);
});

for (const line of new Set(documented.map((shown) => shown.line))) {
  test(`as documented, on few lines: ${line}`, async (t) => {
    const args = line
      .replace('npm run bench -- ', '')
      .replace(/\/tmp\/\w+/, scratch)
      .split(/\s+/);
    // Of an option that is given twice the last one counts.
    const short =
      args[0] === 'udp'
        ? ['--rate', '2000', '--senders', '1', '--seconds', '1']
        : args[0] === 'search'
          ? ['--stream', '500']
          : [];
    const { status, stdout, stderr } = await bench([...args, ...short, '--lines', '2000', '--runs', '1']);
    if (status === 3) return t.skip(stderr.trim());
    assert.equal(status, 0, stderr);
    const counts =
      args[0] === 'search'
        ? /of ripgrep[^]*rare token[^]*the same as those of ripgrep and zgrep/
        : args[0] === 'services'
          ? /7,200 sockets in 225 processes[^]*the agent's rescan to ss -antup: \d/
          : args[0] === 'layout'
            ? /as it is[^]*ORDER BY time[^]*last 100[^]*splitByNonAlpha[^]*each column alone/
            : args[0] === 'verify'
              ? /2000 of 2000 lines and 1 manifests/
              : args[0] === 'udp'
                ? /sent 2000 at [\d,]+\/s = stored \d+ \+ counted \d+/
                : /2000 of 2000 lines, none lost, none twice, none changed/;
    assert.match(stdout, counts);
    return undefined;
  });
}

test('Ctrl-C ends the bench and leaves nothing behind', async (t) => {
  const { status, stderr, pid } = await bench(
    ['ingest', '--lines', '20000', '--runs', '50', '--stage', 'durable'],
    (text, child) => {
      if (text.includes('run 1 of 50: syslog-ng:')) process.kill(child, 'SIGINT');
    },
  );
  if (status === 3) return t.skip(stderr.trim());
  assert.equal(status, 130, stderr);
  assert.equal(existsSync(runDirectory(pid)), false);
  for (let i = 0; i < 3000 && leftOver(pid).length > 0; i += 1) await sleep(20);
  assert.deepEqual(leftOver(pid), []);
});

test('a line that is lost, repeated or changed is noticed', async () => {
  const made = await corpus(scratch, 1000);
  assert.deepEqual(await corpus(scratch, 1000), made, 'the corpus is the same when it is asked for again');
  const bytes = readFileSync(made.path);
  const second = bytes.indexOf('\n') + 1;
  const counted = (...parts: Buffer[]) => {
    const ticked = tally(made.lines, made.sum);
    for (const part of parts) assert.equal(ticked.lines(part), 0);
    return ticked.count();
  };
  const exact = { lines: 1000, lost: 0, repeated: 0, foreign: 0, altered: 'no' };
  assert.deepEqual(counted(bytes), exact);
  assert.deepEqual(
    counted(bytes.subarray(second), bytes.subarray(0, second)),
    exact,
    'order does not matter',
  );
  assert.deepEqual(counted(bytes.subarray(second)), { ...exact, lines: 999, lost: 1, altered: 'yes' });
  assert.deepEqual(counted(bytes, bytes.subarray(0, second)), {
    ...exact,
    lines: 1001,
    repeated: 1,
    altered: 'yes',
  });
  const changed = Buffer.from(bytes);
  changed[second - 2] = (changed[second - 2] ?? 0) ^ 1;
  assert.deepEqual(counted(changed), { ...exact, altered: 'yes' });
  assert.deepEqual(counted(bytes, Buffer.from('no syslog at all\n')), {
    ...exact,
    lines: 1001,
    foreign: 1,
    altered: 'yes',
  });
});
