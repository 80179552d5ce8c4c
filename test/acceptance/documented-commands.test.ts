import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { after, before, test } from 'node:test';
import { removeState, root, startUp, temporaryState, until, search, type RunningUp } from '../harness/up.ts';

/**
 * Every command that README.md, docs/ and the help texts show is run here against a live Holdfast. What is shown in an
 * `sh` block counts; commands that run until they are interrupted are interrupted after a while.
 */
const state = temporaryState();
let up: RunningUp;

before(async () => {
  up = await startUp(state);
});

after(async () => {
  await up.interrupt();
  removeState(state);
});

const shellBlocks = (file: string): string[] =>
  [...readFileSync(join(root, file), 'utf8').matchAll(/^```sh\n(.*?)^```/gms)].flatMap(([, body = '']) =>
    body.split('\n'),
  );

const documented = ['README.md', ...globSync('docs/**/*.md', { cwd: root })]
  .flatMap((file) => shellBlocks(file).map((line) => ({ file, line: line.replace(/\s+#.*$/, '').trim() })))
  .filter(({ line }) => line !== '' && !line.startsWith('#'));

const examplesIn = (help: string): string[] =>
  (help.split('\nExamples:\n')[1] ?? '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.startsWith('holdfast '));

/** What the suites themselves run (`npm …`, the peers' configuration) is not run again here. */
const ranElsewhere = /^(npm |git |cd )/;

type Outcome = { status: number | null; stdout: string; stderr: string };

const runLine = async (line: string, milliseconds: number): Promise<Outcome> =>
  new Promise((resolve) => {
    const env = {
      ...process.env,
      HOLDFAST_STATE: state.root,
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
  if (/^holdfast up\b/.test(line)) return [2, 0];
  if (line.includes('--fail-on')) return [0, 1];
  if (line.includes('--strict')) return [0, 3];
  if (line.includes('/srv/')) return [3];
  return [0];
};

const check = async (line: string): Promise<void> => {
  const { status, stdout, stderr } = await runLine(
    line,
    /^holdfast (logs tail|up)\b/.test(line) ? 2500 : 60_000,
  );
  assert.ok(expected(line).includes(status ?? -1), `${line}\nexit status ${status}\n${stdout}\n${stderr}`);
};

for (const { file, line } of documented) {
  if (ranElsewhere.test(line)) continue;
  test(`${file}: ${line}`, async () => {
    await check(line.replace(/127\.0\.0\.1 --port 5514\b/, `127.0.0.1 --port ${up.syslogUdp()}`));
  });
}

test('README and docs show commands', () => {
  assert.ok(documented.filter(({ line }) => line.startsWith('holdfast ')).length >= 5);
});

test('every command has help with examples, and each example runs', async () => {
  const { stdout: top } = await runLine('holdfast --help', 10_000);
  const nouns = [...top.matchAll(/^ {2}([a-z]+) /gm)]
    .map(([, noun = '']) => noun)
    .filter((noun) => noun !== 'help');
  assert.ok(nouns.length >= 7, top);
  const commands: string[] = [];
  for (const noun of nouns) {
    const { status, stdout } = await runLine(`holdfast ${noun} --help`, 10_000);
    assert.equal(status, 0);
    const verbs = [...(stdout.split('Commands:')[1] ?? '').matchAll(/^ {2}([a-z]+) /gm)]
      .map(([, verb = '']) => verb)
      .filter((verb) => verb !== 'help');
    commands.push(...(verbs.length === 0 ? [noun] : verbs.map((verb) => `${noun} ${verb}`)));
  }
  await until('something is indexed', () => search(state, 'app:holdfast', 0).answer.integrity.indexed > 0);
  for (const command of commands) {
    const { stdout } = await runLine(`holdfast ${command} --help`, 10_000);
    const examples = examplesIn(stdout);
    assert.ok(examples.length > 0, `${command} has examples:\n${stdout}`);
    for (const example of examples) await check(example);
  }
});
