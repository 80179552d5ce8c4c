import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Ended } from './reporter.ts';
import { installPackages, installTool } from './setup.ts';
import { suites, type Suite } from './suites.ts';

/**
 * Runs every suite and closes with `N passed, N failed, N skipped`.
 *
 *     npm test                     everything, the long suites sampled
 *     npm run test:full            everything, whole
 *     npm test -- --only unit      one suite (repeat for more)
 */
const root = join(import.meta.dirname, '..', '..');
const args = process.argv.slice(2);
const full = args.includes('--full');
const only = args.flatMap((argument, i) => (argument === '--only' ? [args[i + 1] ?? ''] : []));

/** For one suite: a test that waits for ever is named by the runner that is ended, and the other suites still run. */
const longestMs = (full ? 180 : 40) * 60_000;

type Result = {
  passed: number;
  failed: number;
  skipped: { name: string; reason: string }[];
  /** `file`: where the test stands, of tests that can run again. */
  failures: { name: string; reason: string; file?: string }[];
};

/** Milliseconds by file; printed where HOLDFAST_TEST_TIMES=1. */
const spent = new Map<string, number>();

const say = (text: string): void => void process.stdout.write(`${text}\n`);

const capture = async (
  command: readonly string[],
): Promise<{ status: number | null; stdout: string; stderr: string }> =>
  new Promise((resolve, reject) => {
    const [file = '', ...rest] = command;
    const child = spawn(file, rest, {
      cwd: root,
      env: { ...process.env, HOLDFAST_TEST_FULL: full ? '1' : '0', NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: longestMs,
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, stdout, stderr }));
  });

const runCommand = async (suite: Suite, command: readonly string[]): Promise<Result> => {
  const { status, stdout, stderr } = await capture(command);
  if (status === 0) return { passed: 1, failed: 0, skipped: [], failures: [] };
  return {
    passed: 0,
    failed: 1,
    skipped: [],
    failures: [{ name: suite.name, reason: `${stdout}${stderr}`.trim() }],
  };
};

const nameOf = (test: Ended): string => `${relative(root, test.file)}: ${test.name}`;

const runFiles = async (
  files: readonly string[],
  concurrency: number,
): Promise<{ status: number | null; stderr: string; ended: Ended[] }> => {
  const { status, stdout, stderr } = await capture([
    process.execPath,
    '--disable-warning=ExperimentalWarning',
    '--test',
    `--test-concurrency=${concurrency}`,
    `--test-reporter=${join(root, 'tools', 'test', 'reporter.ts')}`,
    '--test-reporter-destination=stdout',
    ...files,
  ]);
  const ended: Ended[] = stdout
    .split('\n')
    .filter((line) => line.startsWith('{"name"'))
    .map((line) => JSON.parse(line));
  return { status, stderr, ended };
};

const runTests = async (suite: Suite, patterns: readonly string[]): Promise<Result> => {
  const files = patterns.flatMap((pattern) => globSync(pattern, { cwd: root })).toSorted();
  if (files.length === 0) {
    return {
      passed: 0,
      failed: 1,
      skipped: [],
      failures: [{ name: `suite ${suite.name}`, reason: `it has no test files: ${patterns.join(' ')}` }],
    };
  }
  const { status, stderr, ended } = await runFiles(files, suite.serial === true ? 1 : 2);
  for (const test of ended) {
    const file = relative(root, test.file);
    spent.set(file, (spent.get(file) ?? 0) + test.milliseconds);
  }
  const named = (test: Ended) => ({ name: nameOf(test), reason: test.reason, file: test.file });
  const failures: Result['failures'] = ended.filter((test) => test.outcome === 'failed').map(named);
  if (status === null || (status !== 0 && failures.length === 0))
    failures.push({
      name: `${suite.name}: node --test ${status === null ? 'was ended by a signal' : `exited ${status}`}`,
      reason: stderr.trim(),
    });
  const passed = ended.filter((test) => test.outcome === 'passed').length;
  if (status === 0 && ended.length === 0)
    failures.push({ name: `${suite.name} ran no test`, reason: files.join(' ') });
  return {
    passed,
    failed: failures.length,
    failures,
    skipped: ended.filter((test) => test.outcome === 'skipped').map(named),
  };
};

const runSuite = async (suite: Suite): Promise<Result> => {
  const reason = suite.cannotRun?.() ?? null;
  if (reason !== null)
    return { passed: 0, failed: 0, failures: [], skipped: [{ name: `suite ${suite.name}`, reason }] };
  if (suite.command !== undefined) return runCommand(suite, suite.command);
  return runTests(suite, suite.tests ?? []);
};

const chosen = suites.filter((suite) => only.length === 0 || only.includes(suite.name));
if (chosen.length === 0) {
  say(`No suite of that name. There are: ${suites.map((suite) => suite.name).join(', ')}`);
  process.exit(2);
}

const notInstalled = installPackages(
  chosen.flatMap((suite) => suite.packages ?? []),
  say,
);
if (notInstalled !== null) say(`Note: ${notInstalled}`);
for (const tool of new Set(chosen.flatMap((suite) => suite.tools ?? []))) {
  const why = installTool(join(root, tool), say);
  if (why !== null) say(`Note: ${why}`);
}

const total: Result = { passed: 0, failed: 0, skipped: [], failures: [] };

const runAndTell = async (suite: Suite): Promise<void> => {
  const started = performance.now();
  const result = await runSuite(suite);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  say(
    `${suite.name.padEnd(24)} ${result.passed} passed, ${result.failed} failed, ${result.skipped.length} skipped   ${seconds} s`,
  );
  for (const failure of result.failures)
    say(`\n  ✗ ${failure.name}\n${failure.reason.replace(/^/gm, '      ')}\n`);
  for (const skip of result.skipped) say(`  – skipped ${skip.name}: ${skip.reason || 'no reason given'}`);
  total.passed += result.passed;
  total.failed += result.failed;
  total.failures.push(...result.failures);
  total.skipped.push(...result.skipped);
};

/** More files than this with a failed test are no accident. */
const mostFilesAgain = 3;

/**
 * Runs the files of failed tests once more, one at a time and with nothing beside them: a test of real daemons that
 * failed on a busy machine must not hide whether the rest is sound. What passes now counts as passed, and is named as
 * what it is (docs/decisions/0011).
 */
const runFailedAgain = async (): Promise<void> => {
  const files = new Set(total.failures.map(({ file }) => file));
  if (files.size === 0 || files.size > mostFilesAgain) return;
  for (const file of files) {
    if (file === undefined) continue;
    const { ended, status } = await runFiles([file], 1);
    if (status !== 0 || ended.length === 0) continue;
    const mended = total.failures.filter((failure) => failure.file === file);
    total.failures = total.failures.filter((failure) => failure.file !== file);
    total.failed -= mended.length;
    total.passed += mended.length;
    for (const { name } of mended) say(`  ! passed only when it ran again, alone: ${name}`);
  }
};

const inTurn = async (some: readonly Suite[]): Promise<void> => {
  for (const suite of some) await runAndTell(suite);
};

/** Suites that mostly wait go two at a time, each in a lane of its own; the others have the machine to themselves. */
await inTurn(chosen.filter((suite) => suite.lane === undefined));
await Promise.all([
  inTurn(chosen.filter((suite) => suite.lane === 'one')),
  inTurn(chosen.filter((suite) => suite.lane === 'other')),
]);
await runFailedAgain();
if (process.env['HOLDFAST_TEST_TIMES'] === '1')
  for (const [file, milliseconds] of [...spent].toSorted((a, b) => b[1] - a[1]).slice(0, 40))
    say(`${(milliseconds / 1000).toFixed(1).padStart(7)} s  ${file}`);
say('');
say(`${total.passed} passed, ${total.failed} failed, ${total.skipped.length} skipped`);
process.exit(total.failed === 0 ? 0 : 1);
