import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { on, once } from 'node:events';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { request, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { stateDirectory, type StateDirectory } from '#base/state';
import { answerChallenge, readerChallenge, readerHeader } from '#wire/reader';
import { health, type Health } from '#wire/search';
import { lines as table } from '../index/schema.ts';
import { growVault, type GrownVault, type TestLine } from '../index/testing/grown-vault.ts';
import { asAnOlderParserLeftItAt } from '../index/testing/older-parser.ts';

const program = fileURLToPath(new URL('indexer.ts', import.meta.url));
const kills = 8;

/** Resolves when the process has said that its index is open. */
const opened = async (started: ChildProcess): Promise<void> => {
  for await (const [text] of on(started.stderr ?? started, 'data'))
    if (String(text).includes(' index ')) return;
};

/** Also of one that has ended by itself: nothing waits for it for ever. */
const exitOf = async (of: ChildProcess): Promise<unknown[]> =>
  of.exitCode === null && of.signalCode === null ? once(of, 'exit') : [of.exitCode, of.signalCode];

describe('the indexer process', () => {
  let grown: GrownVault;
  let state: StateDirectory;
  let socket = '';
  let child: ChildProcess | null = null;
  let said = '';

  const start = (more: Record<string, unknown> = {}): ChildProcess => {
    const started = spawn(process.execPath, [program, JSON.stringify({ state: state.root, ...more })], {
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    started.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    return started;
  };

  const call = async (
    method: string,
    path: string,
    body?: unknown,
    more: Record<string, string> = {},
  ): Promise<string> => {
    const outgoing = request({
      socketPath: socket,
      method,
      path,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...more },
    });
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
    const [response]: IncomingMessage[] = await once(outgoing, 'response');
    let text = '';
    for await (const chunk of response?.setEncoding('utf8') ?? []) text += String(chunk);
    return text;
  };

  const ask = (): Promise<Health | null> =>
    call('GET', '/health').then(
      (text) => health.parse(JSON.parse(text)),
      () => null,
    );

  /** Resolves when something that was not there before has been indexed. */
  const indexing = async (): Promise<void> => {
    let first: Health | null = null;
    for (const limit = performance.now() + 60_000; performance.now() < limit; await sleep(10)) {
      const now = await ask();
      first ??= now;
      if (now !== null && first !== null && now.indexed > first.indexed) return;
    }
    assert.fail(`nothing was indexed: ${said}`);
  };

  const caughtUp = async (): Promise<Health> => {
    for (const limit = performance.now() + 60_000; ; await sleep(20)) {
      assert.ok(performance.now() < limit, `it did not catch up: ${said}`);
      const now = await ask();
      if (now !== null && now.committed === grown.appender.size() && now.indexed === now.committed)
        return now;
    }
  };

  /** What does not hang on when it is asked. */
  const answers = async (): Promise<string> => {
    const found = await call('POST', '/search', { query: 'app:n OR "line 7"', limit: 500 });
    const sources = await call('GET', '/sources');
    return (
      found.replace(/"elapsedMs":[\d.]+/, '').replaceAll(/ (?:at|between) 20[-\dT:.Z and]+/g, '') + sources
    );
  };

  before(async () => {
    grown = await growVault();
    state = stateDirectory(grown.root);
    mkdirSync(state.run);
    socket = state.searchSocket;
  });
  after(() => {
    child?.kill('SIGKILL');
    grown.remove();
  });

  it('shows every line exactly once, killed at random moments while the vault grows', async () => {
    let sent = 0;
    let sequence = 0;
    const batch = (): TestLine[] => {
      const lines: TestLine[] = Array.from({ length: 400 }, () => ({
        raw: `<13>May 12 03:00:00 h a: line ${(sent += 1)}`,
      }));
      // A sender that numbers its lines sends some of them again.
      for (const again of [Math.max(1, sequence), sequence + 1, sequence + 2])
        lines.push({ raw: `<13>May 12 03:00:00 h n: numbered ${again}`, stream: 's', sequence: again });
      sequence += 2;
      return lines;
    };
    const growing = new AbortController();
    const grow = async (): Promise<void> => {
      while (!growing.signal.aborted) {
        await grown.grow(batch(), batch());
        await sleep(30);
      }
    };
    const grew = grow();
    for (let kill = 0; kill < kills; kill += 1) {
      child = start();
      const exited = exitOf(child);
      // Every fourth dies at some moment of its start, the others while they index.
      if (kill % 4 !== 3) await opened(child);
      if (kill % 4 < 2) await indexing();
      await sleep(Math.random() * 200);
      child.kill('SIGKILL');
      await exited;
    }
    growing.abort();
    await grew;
    child = start();
    await caughtUp();
    const challenge = readerChallenge.parse(JSON.parse(await call('POST', '/reader')));
    answerChallenge(challenge);
    const rows = (
      await call(
        'POST',
        '/sql',
        {
          sql: "SELECT app, count() AS n, uniqExact(message) AS distinct FROM lines WHERE via = 'syslog-tcp' GROUP BY app ORDER BY app",
        },
        { [readerHeader]: challenge.text },
      )
    )
      .trimEnd()
      .split('\n');
    // The last line is what can be said of the answer.
    assert.deepEqual(
      rows.slice(0, -1).map((row): unknown => JSON.parse(row)),
      [
        { app: 'a', n: sent, distinct: sent },
        { app: 'n', n: sequence, distinct: sequence },
      ],
    );
    assert.match(said, /resumed|undone/);
  });

  it('gives the same answers after kill -9 at any moment of reading history again, and after its directory is deleted', async () => {
    const digest = async (): Promise<string> =>
      (
        await call('POST', '/sql', {
          sql: `SELECT count() AS n, groupBitXor(sipHash64(tuple(${table.columns.map(([name]) => name).join(', ')}))) AS digest FROM lines`,
        })
      ).split('\n')[0] ?? '';
    const wanted = await digest();
    const answer = await answers();
    assert.ok(child !== null);
    let exited = exitOf(child);
    child.stdin?.end();
    await exited;
    await asAnOlderParserLeftItAt(state.index);
    said = '';
    let furthest = 0;
    for (let kill = 0; kill < 3; kill += 1) {
      child = start();
      exited = exitOf(child);
      await opened(child);
      if (kill > 0) await sleep(Math.random() * 400);
      const now = await ask();
      if (now?.reparsing !== null && now !== null) {
        assert.ok(now.reparsing.entry >= furthest, 'it begins anew');
        furthest = now.reparsing.entry;
        // Until all has been read again, everything is found as it was.
        assert.equal(now.indexed, grown.appender.size());
      }
      child.kill('SIGKILL');
      await exited;
    }
    child = start();
    for (const limit = performance.now() + 60_000; (await ask())?.reparsing !== null; await sleep(20))
      assert.ok(performance.now() < limit, `it does not come to an end: ${said}`);
    await caughtUp();
    assert.equal(await digest(), wanted, said);
    assert.equal(await answers(), answer);

    child.kill('SIGKILL');
    await exitOf(child);
    rmSync(state.index, { recursive: true });
    child = start();
    await caughtUp();
    assert.equal(await digest(), wanted);
    assert.equal(await answers(), answer);
  });

  it('ends when its directory is deleted under it, so that the next one makes it again', async () => {
    const wanted = await answers();
    assert.ok(child !== null);
    const exited = exitOf(child);
    said = '';
    rmSync(state.index, { recursive: true });
    assert.deepEqual(await Promise.race([exited, sleep(10_000, 'it stays')]), [1, null], said);
    assert.match(said, /was deleted while it was open/);
    child = start();
    await caughtUp();
    assert.equal(await answers(), wanted);
  });

  it('ends in order when its supervisor does, and goes on from there', async () => {
    const stopped = await caughtUp();
    assert.ok(child !== null);
    const exited = exitOf(child);
    child.stdin?.end();
    assert.deepEqual(await exited, [0, null], said);
    assert.ok(!existsSync(state.searchSocket));
    said = '';
    child = start();
    assert.equal((await caughtUp()).lines, stopped.lines);
    assert.match(said, /index resumed/);
  });

  it('serves on the socket that it is told, and nowhere else', async () => {
    assert.ok(child !== null);
    const exited = exitOf(child);
    child.stdin?.end();
    await exited;
    const directory = join(state.run, 'indexer');
    mkdirSync(directory);
    socket = join(directory, 'search.sock');
    child = start({ socket });
    await caughtUp();
    assert.ok(!existsSync(state.searchSocket));
  });
});
