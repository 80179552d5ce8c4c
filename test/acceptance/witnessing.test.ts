import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { openCosignature, openCosigned, parseVkey, parseWitnessVkey } from '#vault/checkpoint';
import { parsePlace, pushCheckpoint, ask, originHash, parseProof } from '#witness';
import { groups } from '../../src/processes/up/accounts.ts';
import { startReceiver } from '../../src/receive/index.ts';
import { linesOf, readStored } from '../../src/receive/testing/stored.ts';
import { grow, serve } from '../../src/publish/testing/served.ts';
import { holdfast, run, until } from '../harness/up.ts';

/** A vault, its receiver and its publisher, and `holdfast witness` in a process of its own: all of it real. */
test('a witness on another state directory cosigns what a vault publishes, and convicts it when it is put back', async (t) => {
  // Each checkpoint is shown to witnesses at once.
  const served = await serve(t, { candidate: { least: 0, most: 0 } });
  const { made, state } = served;
  mkdirSync(state.run, { recursive: true });
  const receiver = await startReceiver({
    state,
    listen: [],
    clock: made.clock,
    log: () => undefined,
    onFault(error) {
      throw error;
    },
  });
  t.after(() => receiver.stop());
  const said = () =>
    readStored(state.intake)
      .deliveries.filter(({ peer }) => peer === 'publisher')
      .flatMap(linesOf)
      .map(({ raw }): Record<string, unknown> => JSON.parse(raw.toString()));

  if (process.getuid?.() === 0) {
    // As `up` has them: the witness that root starts is another user.
    chmodSync(state.root, 0o755);
    for (const path of [dirname(state.publishSocket), state.publishSocket])
      chownSync(path, 0, groups.witnessing);
  }
  const home = mkdtempSync(join(tmpdir(), 'holdfast-witnessing-'));
  t.after(() => rmSync(home, { recursive: true, force: true }));
  const vkeyFile = join(home, 'log.vkey');
  writeFileSync(vkeyFile, made.vkey);
  const initial = run('witness', '--init', '--state', home, '--name', 'w.example/1', '--log', vkeyFile);
  assert.equal(initial.status, 0, initial.stderr);
  const witness = parseWitnessVkey(initial.stdout);
  const { name: origin } = parseVkey(made.vkey);
  const child = spawn(
    holdfast,
    [
      'witness',
      '--state',
      home,
      '--every',
      '0.1',
      '--listen',
      '127.0.0.1:0',
      '--log',
      `${vkeyFile}=unix:${state.publishSocket}`,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  t.after(() => child.kill('SIGKILL'));
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  await until('it listens', () => /http:\S+\n/.test(output));

  await grow(made, 5, 1, 300);
  const size = openCosigned(made.read('checkpoint'), parseVkey(made.vkey)).size;
  const older = mkdtempSync(join(tmpdir(), 'holdfast-older-'));
  t.after(() => rmSync(older, { recursive: true, force: true }));
  cpSync(made.vault, older, { recursive: true });
  const cosigned = (of: number) =>
    said().find(({ kind, size: found }) => kind === 'cosignature' && found === of);
  await until('the newest is cosigned', () => cosigned(size) !== undefined);
  assert.ok(openCosignature(Buffer.from(String(cosigned(size)?.['note'])), witness) > 1_700_000_000);

  // The same witness takes checkpoints that are brought, with proofs from the publisher.
  await grow(made, 40);
  const note = made.read('checkpoint');
  const place = parsePlace(`unix:${state.publishSocket}`);
  const pushed = await pushCheckpoint({
    place: parsePlace((/http:\S+/.exec(output)?.[0] ?? '').replace(/\/add-checkpoint$/, '')),
    vkey: witness,
    note,
    size: size + 40,
    async proofFor(old) {
      const path = `/proof/consistency?from=${old}&to=${size + 40}`;
      return parseProof((await ask({ place, method: 'GET', path, maxReply: 4096 })).body);
    },
  });
  assert.equal(pushed.result, 'cosigned');

  // The whole vault/ is put back to what it was; only somebody else's memory shows it.
  await until('it is given back', () => cosigned(size + 40) !== undefined);
  rmSync(made.vault, { recursive: true });
  cpSync(older, made.vault, { recursive: true });
  await until('the contradiction is told', () => said().some(({ kind }) => kind === 'contradiction'));
  const convicting = String(said().find(({ kind }) => kind === 'contradiction')?.['note']);
  assert.equal(convicting, note.toString());
  await until('it alarms', () => /ALARM/.test(output));
  const memory = join(home, 'witness', 'memory', originHash(origin));
  assert.equal(openCosigned(readFileSync(memory), parseVkey(made.vkey)).size, size + 40);
  child.kill('SIGINT');
  assert.deepEqual(await once(child, 'close'), [0, null]);
});
