import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, before, test } from 'node:test';
import { documentedBlocks, documentedCommands } from '../harness/documents.ts';
import { removeState, root, startUp, temporaryState, until, search, type RunningUp } from '../harness/up.ts';

/**
 * What README.md, docs/ and the help texts show is true of a live Holdfast:
 *
 * - each line of an `sh` block is run, `notRunHere` excepted, and must end with a status that its text allows; of what
 *   changes the host that it runs on, only the help is asked for here;
 * - each `$ holdfast …` of a `text` block is run, and must print exactly what stands below it;
 * - each example of each help text is run;
 * - the picture of `holdfast up` in README.md has the form of what `up` prints.
 *
 * Commands that run until they are interrupted are interrupted after a while.
 */
const state = temporaryState();
const home = mkdtempSync(join(tmpdir(), 'holdfast-home-'));
let up: RunningUp;

before(async () => {
  up = await startUp(state, []);
  // Some of the commands are about a line that is in the vault.
  await until('something is indexed', () => search(state, 'app:holdfast', 0).answer.integrity.indexed > 1);
});

after(async () => {
  await up.interrupt();
  removeState(state);
  rmSync(home, { recursive: true, force: true });
});

const examplesIn = (help: string): string[] =>
  (help.split('\nExamples:\n')[1] ?? '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.startsWith('holdfast '));

/** Shown, but not run by this file: the line, and why. */
const notRunHere: Readonly<Record<string, string>> = {
  'git clone <this repository> holdfast && cd holdfast': 'this is that clone',
  'npm start': 'installs, and then runs `holdfast up`, which is what runs here',
  'npm test': 'this suite is part of it',
  'npm run demo:cacti': 'starts two whole hosts: test/fleet/cacti.test.ts asserts each of its steps',
  'npm run test:full':
    'the same suites with every long one whole; they take too long to run inside each other',
};

/** bench.test.ts runs every line of docs/performance.md, with fewer lines. */
const ranByBenchTest = documentedCommands()
  .filter(({ file, line }) => file === 'docs/performance.md' && line.startsWith('npm run bench -- '))
  .map(({ line }) => line);

/** test/fleet/deploy.test.ts runs every line of docs/deploy.md, on a host of its own. */
const ranByDeployTest = documentedCommands()
  .filter(({ file }) => file === 'docs/deploy.md')
  .map(({ line }) => line);

/** The nouns, or verbs, that a help text lists. */
const namesIn = (help: string): string[] => {
  const [listed = ''] = (help.split('\nCommands:\n')[1] ?? '').split('\n\n');
  return [...listed.matchAll(/^ {2}([a-z]+) /gm)]
    .map(([, name = '']) => name)
    .filter((name) => name !== 'help');
};

type Outcome = { status: number | null; stdout: string; stderr: string };

const runLine = async (line: string, milliseconds: number): Promise<Outcome> =>
  new Promise((resolve) => {
    const env = {
      ...process.env,
      HOLDFAST_STATE: state.root,
      // What an example puts below `~` goes when the test does. No copy of the vault may lie in the state directory.
      HOME: home,
      PATH: `${join(root, 'bin')}${delimiter}${process.env['PATH'] ?? ''}`,
    };
    const child = spawn('sh', ['-c', `exec ${line}`], {
      env,
      cwd: state.root,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const timer = setTimeout(() => child.kill('SIGINT'), milliseconds);
    child.on('close', (status, signal) => {
      clearTimeout(timer);
      resolve({ status: signal === 'SIGINT' ? 0 : status, stdout, stderr });
    });
  });

/** Status that a shown command may end with here: `up` finds the state in use, an audit may fail on purpose. */
const expected = (line: string): readonly number[] => {
  // An agent needs a certificate first, and says so.
  if (/^holdfast (up|agent)\b/.test(line)) return [2, 0];
  // No listener here speaks TLS, so there is no issuer, and they say so: hosts.test.ts runs them.
  if (/^holdfast hosts (token|enrol)\b/.test(line)) return [3];
  // No alert is configured here, and it says so: alerts.test.ts runs it where one is.
  if (/^holdfast alerts test\b/.test(line)) return [2];
  // There may be no such door here, and it says so.
  if (/^holdfast services users \d/.test(line)) return [0, 2];
  // Counts with nft, which takes root.
  if (line.includes('--listen-for')) return [0, 3];
  if (line.includes('--fail-on')) return [0, 1];
  if (line.includes('--strict')) return [0, 3];
  if (line.includes('/srv/')) return [3];
  return [0];
};

/**
 * Shown, and changes the host that it runs on: the test that does the same on a host of its own, for the same door or
 * another.
 */
const ranOnHosts: Readonly<Record<string, string>> = {
  'holdfast services plan 3306': 'test/fleet/cacti.test.ts',
  "holdfast services fix 3306 --from 'ssh web1'": 'test/fleet/cacti.test.ts',
  'holdfast services fix avahi-daemon --step stop': 'test/fleet/fix.test.ts',
  'holdfast services fix rpcbind --step remove': 'test/fleet/remove.test.ts',
  'holdfast services fix 9100 --step firewall --allow 10.0.0.7': 'test/fleet/fix.test.ts',
  'holdfast services undo': 'test/fleet/fix.test.ts',
};

/** Nouns whose verbs write to the state directory at most, or to where they are told to; a new one is not run unseen. */
const harmless =
  /^(?:logs|alerts|vault|hosts|config|index|audit|up|agent|witness|services (?:list|users|probe)|patches list|isolation show)\b/;

/** Whether some command of the line may change this machine. */
const mayChangeHost = (line: string): boolean =>
  [...line.matchAll(/(?<![\w:=])holdfast (?=[a-z])/g)].some(
    ({ index, 0: { length } }) => !harmless.test(line.slice(index + length)),
  );

/** To be run without harm: counters of nft go into a network of their own, where root can make one. */
const harmlessly = (line: string): string => {
  if (mayChangeHost(line)) {
    assert.match(line, /^holdfast [^|;&]*$/, 'the help of one command can be asked for, not of several');
    return `${line} --help`;
  }
  return line.includes('--listen-for') && process.getuid?.() === 0 ? `unshare --net ${line}` : line;
};

const check = async (shown: string): Promise<void> => {
  const line = harmlessly(shown.replace(/127\.0\.0\.1 --port 5514\b/, `127.0.0.1 --port ${up.syslogUdp()}`));
  const { status, stdout, stderr } = await runLine(
    line,
    /^holdfast (logs tail|up|witness --log)\b/.test(line) ? 2500 : 300_000,
  );
  assert.ok(expected(line).includes(status ?? -1), `${line}\nexit status ${status}\n${stdout}\n${stderr}`);
};

test('what changes a host is shown with the test that runs it on one', () => {
  const shown = commands
    .filter(({ file, section }) => file !== 'docs/deploy.md' && section !== 'Ten investigations')
    .filter(({ line }) => mayChangeHost(line));
  assert.deepEqual(new Set(shown.map(({ line }) => line)), new Set(Object.keys(ranOnHosts)));
  for (const file of Object.values(ranOnHosts)) assert.ok(existsSync(join(root, file)), file);
});

test('a command that nobody has called harmless is not run', () => {
  assert.equal(harmlessly('holdfast services list'), 'holdfast services list');
  for (const line of ['holdfast services fix 3306', 'holdfast patches apply'])
    assert.equal(harmlessly(line), `${line} --help`);
  for (const line of ["ssh web1 'holdfast services undo'", 'holdfast services fix 3306 && holdfast audit'])
    assert.throws(() => harmlessly(line), /not of several/);
});

const commands = documentedCommands();

for (const { file, line, section } of commands) {
  // Of things that happened on other hosts: test/fleet/investigations.test.ts runs them there.
  if (section === 'Ten investigations') continue;
  // Of this machine's package log, where there is one: this-machine.test.ts runs them, and holds them against it.
  if (section === 'An eleventh, on this machine') continue;
  if (notRunHere[line] !== undefined || [...ranByBenchTest, ...ranByDeployTest].includes(line)) continue;
  test(`${file}: ${line}`, async () => check(line));
}

test('README and docs show commands, and nothing is excepted that they do not show', () => {
  assert.ok(commands.filter(({ line }) => line.startsWith('holdfast ')).length >= 5);
  for (const line of Object.keys(notRunHere))
    assert.ok(
      commands.some((shown) => shown.line === line),
      line,
    );
});

const sessions = documentedBlocks()
  .filter(({ language, lines }) => language === 'text' && lines[0]?.startsWith('$ holdfast '))
  .flatMap(({ file, lines }) =>
    lines
      .join('\n')
      .split(/^\$ /m)
      .slice(1)
      .map((session) => {
        const [line = '', ...printed] = session.trimEnd().split('\n');
        return { file, line, printed: printed.join('\n') };
      }),
  );

for (const { file, line, printed } of sessions) {
  test(`${file}: what '${line}' prints`, async () => {
    await until('something is indexed', () => search(state, 'app:holdfast', 0).answer.integrity.indexed > 0);
    const { stdout, stderr } = await runLine(line, 300_000);
    assert.equal(`${stdout}${stderr}`.trimEnd(), printed);
  });
}

test('docs/search.md shows what a mistake looks like', () => {
  assert.ok(sessions.some(({ file }) => file === 'docs/search.md'));
});

/** A line of what `up` prints, without what differs from host to host and from start to start. */
const form = (line: string): string =>
  line
    .replace(/^(Holdfast is running on ).*/, '$1STATE')
    .replaceAll(` --state ${state.root}`, '')
    .replace(/\bpid +\d+ +uid +\d+ +/, 'pid N uid N ')
    .replace(/127\.0\.0\.1:\d+/g, '127.0.0.1:PORT')
    .replace(/--port \d+/, '--port PORT')
    .replace(/token=[\w-]+/, 'token=TOKEN')
    .replace(/(?:\/\S+\/)?bin\/holdfast/g, 'bin/holdfast')
    .replace(/^( {2}(?:services|patches|logging|isolation)) .*/, '$1');

test('the picture of `holdfast up` in README.md has the form of what it prints', async () => {
  const picture = documentedBlocks().find(
    ({ file, lines }) => file === 'README.md' && lines[0]?.startsWith('Holdfast is running on '),
  );
  assert.ok(picture);
  await until('the audit is printed', () => up.output().includes('All of it: '), 120_000);
  const printed = new Set(up.output().split('\n').map(form));
  // What the audit finds is the host's; its heading is there where something was found.
  const worst = picture.lines.indexOf('The worst of it:');
  const end = picture.lines.findIndex((line) => line.startsWith('All of it: '));
  assert.ok(worst > 0 && end > worst);
  const wanted = [...picture.lines.slice(0, worst), ...picture.lines.slice(end)].filter(
    (line) => line !== '' && !line.startsWith('  could not look at '),
  );
  assert.ok(wanted.length >= 14, wanted.join('\n'));
  for (const line of wanted) assert.ok(printed.has(form(line)), `not printed: ${form(line)}\n${up.output()}`);
});

test('every command has help with examples, and each example runs', async () => {
  const { stdout: top } = await runLine('holdfast --help', 60_000);
  for (const example of examplesIn(top)) await check(example);
  const nouns = namesIn(top);
  assert.ok(nouns.length >= 7, top);
  const named: string[] = [];
  for (const noun of nouns) {
    const { status, stdout } = await runLine(`holdfast ${noun} --help`, 60_000);
    assert.equal(status, 0);
    assert.ok(examplesIn(stdout).length > 0, `${noun} has examples:\n${stdout}`);
    const verbs = namesIn(stdout);
    named.push(...(verbs.length === 0 ? [noun] : verbs.map((verb) => `${noun} ${verb}`)));
  }
  await until('something is indexed', () => search(state, 'app:holdfast', 0).answer.integrity.indexed > 0);
  assert.ok(named.length >= 10, named.join('\n'));
  for (const command of named) {
    const { stdout } = await runLine(`holdfast ${command} --help`, 60_000);
    const examples = examplesIn(stdout);
    assert.ok(examples.length > 0, `${command} has examples:\n${stdout}`);
    for (const example of examples) await check(example);
  }
});
