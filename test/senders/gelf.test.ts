import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { gunzipSync, inflateSync } from 'node:zlib';
import { Framing } from '#vault/record';
import { start, until } from '../../src/receive/testing/receiver.ts';
import { linesOf } from '../../src/receive/testing/stored.ts';
import { run } from './running.ts';

const gopath = '/usr/share/gocode';
const cannotRun = (): string | false => {
  if (spawnSync('go', ['version']).status !== 0) return 'no Go (apt-get install golang-go)';
  return existsSync(join(gopath, 'src/github.com/Graylog2/go-gelf'))
    ? false
    : 'no go-gelf (apt-get install golang-github-graylog2-go-gelf-dev)';
};

describe("Graylog's library for Go", { skip: cannotRun() }, () => {
  let directory: string;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'holdfast-gelf-'));
    const { GOFLAGS: _, ...env } = process.env;
    execFileSync('go', ['build', '-o', join(directory, 'sender'), 'main.go'], {
      cwd: join(import.meta.dirname, 'gelf'),
      env: { ...env, GO111MODULE: 'off', GOPATH: gopath, GOCACHE: join(directory, 'cache') },
    });
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  // No compression makes it small: it takes some forty chunks.
  const large = randomBytes(25_000).toString('hex');
  const plain: Record<string, (bytes: Buffer) => Buffer> = {
    'udp-none': (bytes) => bytes,
    'udp-gzip': gunzipSync,
    'udp-zlib': inflateSync,
    tcp: (bytes) => bytes,
  };

  for (const [way, unpack] of Object.entries(plain))
    it(`sends ${way}, a message of one datagram and one of many chunks`, async (t) => {
      const receiver = await start(t, ['gelf-udp', 'gelf-tcp']);
      const port = receiver.port(way === 'tcp' ? 'gelfTcp' : 'gelfUdp');
      const { code, output } = await run(t, join(directory, 'sender'), [
        way,
        `127.0.0.1:${port}`,
        'short',
        large,
      ]);
      assert.equal(code, 0, output);
      const stored = () => receiver.stored().filter(({ listener }) => listener.startsWith('gelf-'));
      await until(() => stored().flatMap(linesOf).length >= 2);
      const messages = stored()
        .flatMap(linesOf)
        .map(({ raw }) => JSON.parse(unpack(raw).toString()));
      assert.deepEqual(
        messages.map(({ short_message: text, host, _app: app }) => [text, host, app]),
        [
          ['short', 'gelf-host', 'gelf-sender'],
          [large, 'gelf-host', 'gelf-sender'],
        ],
      );
      assert.ok(
        stored().every(({ flags, meta }) => flags === 0 && meta === '{"via":"gelf","format":"gelf"}'),
      );
      assert.ok(
        stored().every(({ framing }) => framing === (way === 'tcp' ? Framing.nul : Framing.datagram)),
      );
    });
});
