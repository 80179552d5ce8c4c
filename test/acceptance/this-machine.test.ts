import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { accessSync, constants, globSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { after, before, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { documentedCommands } from '../harness/documents.ts';
import { removeState, root, search, startUp, temporaryState, until, type RunningUp } from '../harness/up.ts';

/**
 * The investigation of docs/search.md into the machine's own package log, on the machine that this runs on: each command
 * that stands there is run, and what it answers must be what the files themselves say, read here without Holdfast.
 */

const age = (path: string): number => Number(/\.log\.(\d+)/.exec(path)?.[1] ?? 0);

/** The set of rotated files, the oldest first. */
const files = globSync('/var/log/dpkg.log*').toSorted((a, b) => age(b) - age(a));

const readable = (path: string): boolean => {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
};

type Line = { text: string; message: string; day: string; seconds: number };

const linesOf = (path: string): Line[] =>
  (path.endsWith('.gz') ? gunzipSync(readFileSync(path)) : readFileSync(path))
    .toString()
    .split('\n')
    .filter((text) => text !== '')
    .map((text) => ({
      text,
      message: text.slice('2026-05-12 03:00:00 '.length),
      day: text.slice(0, '2026-05-12'.length),
      seconds: Date.parse(`${text.slice(0, '2026-05-12 03:00:00'.length).replace(' ', 'T')}Z`) / 1000,
    }));

/** In the order of their times; those of one second as they stand in the files. */
const logged = (): Line[] => files.flatMap(linesOf).toSorted((a, b) => a.seconds - b.seconds);

const installs = ({ message }: Line): boolean => message.startsWith('install ');
const upgrades = ({ message }: Line): boolean => message.startsWith('upgrade ');

const whyNot = (): string | false => {
  if (files.length === 0)
    return 'there is no /var/log/dpkg.log here: this is no Debian, or its log was taken away';
  const unread = files.find((path) => !readable(path));
  if (unread !== undefined) return `${unread} may not be read by this user`;
  return logged().some(installs) ? false : 'in all of /var/log/dpkg.log* nothing was ever installed';
};
const skip = whyNot();

const state = temporaryState();
let up: RunningUp;
let log: Line[] = [];
/** Address of the line of what was last installed. */
let address = '';

const commands = documentedCommands()
  .filter(({ section }) => section === 'An eleventh, on this machine')
  .map(({ line }) => line);

const asked = new Set<string>();

/** Runs the one command of the document that begins so. */
const ask = (beginning: string): { lines: string[]; footer: string } => {
  const [line, ...more] = commands.filter((one) => one.startsWith(beginning));
  assert.ok(line !== undefined && more.length === 0, `docs/search.md shows one '${beginning}…'`);
  asked.add(line);
  const { status, stdout, stderr } = spawnSync('sh', ['-c', `exec ${line.replaceAll('1:5157', address)}`], {
    encoding: 'utf8',
    env: {
      ...process.env,
      HOLDFAST_STATE: state.root,
      PATH: `${join(root, 'bin')}${delimiter}${process.env['PATH'] ?? ''}`,
    },
  });
  assert.equal(status, 0, `${line}\n${stdout}${stderr}`);
  return { lines: stdout.trimEnd().split('\n'), footer: stderr };
};

/** What a shown line says: without its mark, address, time, host and program. */
const messageOf = (shown: string): string => shown.replace(/^.*? dpkg: /, '');

before(async () => {
  if (skip !== false) return;
  // dpkg writes local time; read as UTC its days are those that stand in the files, and no hour comes twice.
  process.env['TZ'] = 'UTC';
  up = await startUp(state);
  // Whoever installs something meanwhile makes the log longer than what was read here.
  do {
    log = logged();
    const { lines } = ask('holdfast logs import ');
    assert.equal(lines.length, files.length, lines.join('\n'));
  } while (logged().length !== log.length);
  await until('all of it is found', () => search(state, 'via:import', 0).answer.count === log.length);
  const last = ask('holdfast logs search --newest ').lines;
  assert.deepEqual(last.map(messageOf), [log.findLast(installs)?.message]);
  [address = ''] = last[0]?.split(' ') ?? [];
  assert.match(address, /^\d+:\d+$/);
});

after(async () => {
  if (skip === false) await up.interrupt();
  removeState(state);
});

test('each line is found as it stands in the files, in their order', { skip }, () => {
  const newest = 20_000;
  const { hits } = search(state, 'via:import', newest);
  assert.deepEqual(
    hits.map(({ raw }) => Buffer.from(raw, 'base64').toString()),
    log.slice(-newest).map(({ text }) => text),
  );
});

test('packages that were done are counted', { skip }, () => {
  const { lines } = ask('holdfast logs search --count ');
  assert.deepEqual(lines, [
    String(log.filter(({ message }) => message.startsWith('status installed ')).length),
  ]);
});

test('the patterns share out each line that says what was done with a package', { skip }, () => {
  const { lines, footer } = ask('holdfast logs patterns ');
  const of = (verb: string): number =>
    lines
      .filter((line) => new RegExp(` dpkg +${verb} `).test(line))
      .reduce((sum, line) => sum + Number.parseInt(line, 10), 0);
  // The head, and the 50 patterns that are shown; a log may have more, of packages that differ in form.
  const whole = lines.length <= 50;
  for (const verb of ['install', 'upgrade', 'remove', 'purge']) {
    const there = log.filter(({ message }) => message.startsWith(`${verb} `)).length;
    assert.ok(whole ? of(verb) === there : of(verb) <= there, `${verb}: ${there}\n${lines.join('\n')}`);
  }
  const all = log.filter(({ message }) => /^(install|upgrade|remove|purge) /.test(message)).length;
  assert.match(footer, new RegExp(`^${all} lines? match`, 'm'));
});

test('each day has what was installed and upgraded on it', { skip }, () => {
  const days = Object.entries(Object.groupBy(log, ({ day }) => day))
    .map(([day, lines = []]) => [day, lines.filter(installs).length, lines.filter(upgrades).length])
    .filter(([, installed, upgraded]) => installed !== 0 || upgraded !== 0);
  const [head, ...rows] = ask('holdfast logs sql ').lines.map((line) => line.trim().split(/ +/));
  assert.deepEqual(head, ['day', 'installed', 'upgraded']);
  assert.deepEqual(
    rows,
    days.map((row) => row.map(String)),
  );
});

test('around what was last installed stands what stands there in the files', { skip }, () => {
  const at = log.findLastIndex(installs);
  const { lines } = ask('holdfast logs context ');
  assert.deepEqual(
    lines.map(messageOf),
    log.slice(Math.max(0, at - 3), at + 4).map(({ message }) => message),
  );
  assert.match(lines.find((line) => line.startsWith('> ')) ?? '', new RegExp(`^> ${address} `));
});

test('what came within a minute of it is shown in its order', { skip }, () => {
  const last = log.findLast(installs)?.seconds ?? 0;
  const near = log.filter(
    (line) => (installs(line) || upgrades(line)) && Math.abs(line.seconds - last) <= 60,
  );
  const { lines } = ask('holdfast logs search --oldest ');
  assert.deepEqual(
    lines.map(messageOf),
    near.slice(0, 100).map(({ message }) => message),
  );
});

test('no command of the investigation is left out', { skip }, () => {
  assert.deepEqual(new Set(commands), asked);
});
