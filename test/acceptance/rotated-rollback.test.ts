import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { parseCheckpoint, parseNote, parseVkey } from '#vault/checkpoint';
import { freePort } from '../harness/free-port.ts';
import { holdfast, removeState, run, startUp, temporaryState, until } from '../harness/up.ts';

const directory = (t: TestContext): string => {
  const home = mkdtempSync(join(tmpdir(), 'holdfast-rotated-'));
  // As root, a witness gives up its privileges and must still reach its files.
  chmodSync(home, 0o755);
  t.after(() => rmSync(home, { recursive: true, force: true }));
  return home;
};

type RunningWitness = { url: string; output(): string; end(): Promise<void> };

/** `holdfast witness`, until it says that it serves or asks. */
const runWitness = async (t: TestContext, home: string, ...args: string[]): Promise<RunningWitness> => {
  const child = spawn(holdfast, ['witness', '--state', home, ...args]);
  t.after(() => child.kill('SIGKILL'));
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const isListening = args.includes('--listen');
  await until('the witness runs', () => (isListening ? /http:\S+\n/ : /^witnessing/m).test(output));
  return {
    url: (/http:\S+/.exec(output)?.[0] ?? '').replace(/\/add-checkpoint$/, ''),
    output: () => output,
    async end() {
      child.kill('SIGINT');
      await once(child, 'close');
    },
  };
};

/** What a witness remembers, as the file in its directory. */
const rememberedSize = (home: string): number =>
  Number(/size (\d+)/.exec(run('witness', 'show', '--state', home).stdout)?.[1] ?? 0);

const copy = (from: string, to: string): void => {
  assert.equal(spawnSync('cp', ['-a', from, to]).status, 0);
};

const parts = ['vault', 'keys', 'intake', 'index', 'feeds', 'spool'];

for (const [what, isAsked] of [
  ['is asked', true],
  ['asks', false],
] as const)
  test(`a state that was put back to before a rotation is found out by a witness that ${what}, and signs nothing`, async (t) => {
    const state = temporaryState();
    t.after(() => removeState(state));
    const first = await startUp(state, ['--no-agent']);
    await first.interrupt();
    const old = readFileSync(state.vkeyFile, 'utf8').trim();
    const home = directory(t);
    const made = run('witness', '--init', '--state', home, '--name', 'w.example/1', '--log', old);
    assert.equal(made.status, 0, made.stderr);
    const vkey = made.stdout.trim();

    const at = async (url: string) =>
      startUp(state, [
        '--no-agent',
        '--publish',
        '127.0.0.1:0',
        '--witness',
        isAsked ? `${vkey}=${url}` : vkey,
      ]);
    const backup = directory(t);
    for (const part of parts) copy(join(state.root, part), join(backup, part));
    const before = parseCheckpoint(readFileSync(join(state.vault, 'checkpoint'))).size;

    // A witness that asks knows where only when the log publishes; one that is asked must run before.
    const port = await freePort();
    const listening = isAsked
      ? await runWitness(t, home, '--log', old, '--listen', `127.0.0.1:${port}`)
      : { url: '', end: () => Promise.resolve() };
    let up = await at(listening.url);
    const rotated = run('vault', 'rotate-key', '--reason', 'yearly', '--by', 'Ada', '--state', state.root);
    assert.equal(rotated.status, 0, rotated.stderr);
    const now = readFileSync(state.vkeyFile, 'utf8').trim();
    assert.notEqual(now, old);
    await listening.end();
    const witness = (): Promise<RunningWitness> =>
      isAsked
        ? runWitness(t, home, '--log', old, '--log', now, '--listen', `127.0.0.1:${port}`)
        : runWitness(
            t,
            home,
            '--every',
            '0.2',
            '--log',
            `${old}=http://${up.ready().publisher}`,
            '--log',
            now,
          );
    let running = await witness();
    // The courier brings the candidate at its start.
    if (isAsked) {
      await up.interrupt();
      up = await at(listening.url);
    }
    const byNewKey = (): boolean => {
      const hash = run('witness', 'show', '--json', '--state', home).stdout;
      const file = String(JSON.parse(hash).logs[0]?.note ?? '');
      if (!existsSync(file)) return false;
      const { keyId } = parseVkey(now);
      const { signatures } = parseNote(readFileSync(file));
      return (
        rememberedSize(home) > before &&
        signatures.every((one) => !one.keyId.equals(parseVkey(old).keyId)) &&
        signatures.some((one) => one.keyId.equals(keyId))
      );
    };
    await until('it remembers what the newer key alone has signed', byNewKey, 150_000);
    await up.interrupt();
    if (!isAsked) await running.end();

    for (const part of parts) {
      rmSync(join(state.root, part), { recursive: true });
      copy(join(backup, part), join(state.root, part));
    }
    const restored = readFileSync(join(state.vault, 'checkpoint'));
    up = await at(listening.url);
    t.after(() => up.interrupt());
    if (!isAsked) running = await witness();
    const evidence = join(state.keys, 'contradiction');
    await until('the keeper refuses', () => existsSync(evidence));
    await until('it says so', () => /put back to an older one/.test(up.output()));
    assert.match(up.output(), /w\.example\/1 \(key [0-9a-f]{8}\)/);
    assert.ok(readFileSync(join(state.vault, 'checkpoint')).equals(restored), 'nothing was signed');
    assert.ok(readFileSync(join(state.keys, 'lock')).includes(restored), 'nothing was signed');
    assert.ok(parseCheckpoint(readFileSync(evidence)).size > before);
  });
