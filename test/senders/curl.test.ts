import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { testAuthority } from '../../src/receive/testing/authority.ts';
import { start } from '../../src/receive/testing/receiver.ts';
import { onPath } from '../../tools/test/suites.ts';
import { run } from './running.ts';

const skip = onPath('curl') ? false : 'curl is not installed (apt-get install curl)';

describe('curl', { skip }, () => {
  const lines = Array.from({ length: 40_000 }, (_, n) =>
    JSON.stringify({ n, message: `number ${n}`, pad: 'x'.repeat(40) }),
  );

  it('sends a file of JSON lines, and each is a record', async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'holdfast-curl-'));
    t.after(() => rmSync(directory, { recursive: true }));
    const file = join(directory, 'events.ndjson');
    writeFileSync(file, `${lines.join('\n')}\n`);
    const receiver = await start(t, ['http']);
    const url = `http://127.0.0.1:${receiver.port('http')}/ingest`;
    // Over a megabyte: curl asks first whether it may send it (Expect: 100-continue).
    const { code, output } = await run(t, 'curl', [
      '--fail',
      '--silent',
      '--show-error',
      '--data-binary',
      `@${file}`,
      '-H',
      'Content-Type: application/x-ndjson',
      url,
    ]);
    assert.equal(code, 0, output);
    assert.equal(output, 'OK.\n');
    assert.deepEqual(receiver.lines('http='), lines);
    const meta = JSON.parse(receiver.stored()[0]?.meta ?? '');
    assert.deepEqual(
      { ...meta, agent: meta.agent.replace(/[\d.]+$/, '') },
      {
        via: 'http',
        format: 'jsonl',
        path: '/ingest',
        type: 'application/x-ndjson',
        encoding: 'identity',
        agent: 'curl/',
      },
    );
  });

  it('sends what is compressed, in chunks from its standard input, with a certificate', async (t) => {
    const authority = testAuthority(t);
    const web = authority.issue('web1.example');
    const receiver = await start(t, ['https'], {}, '127.0.0.1', () => undefined, { tls: authority.files });
    const url = `https://localhost:${receiver.port('https')}/`;
    const headers = ['Content-Encoding: gzip', 'Content-Type: text/plain', 'Transfer-Encoding: chunked'];
    const { code, output } = await run(
      t,
      'curl',
      [
        '--fail',
        '--silent',
        '--show-error',
        '--resolve',
        `localhost:${receiver.port('https')}:127.0.0.1`,
        '--cacert',
        authority.files.authority,
        '--cert',
        web.certificate,
        '--key',
        web.key,
        ...headers.flatMap((header) => ['-H', header]),
        '--data-binary',
        '@-',
        url,
      ],
      { input: gzipSync(`${lines.join('\n')}\n`) },
    );
    assert.equal(code, 0, output);
    const body = receiver.stored().find(({ listener }) => listener.startsWith('https='));
    assert.equal(gunzipSync(body?.raw ?? '').toString(), `${lines.join('\n')}\n`);
    assert.equal(body?.tlsName, 'web1.example');
    assert.equal(JSON.parse(body?.meta ?? '').encoding, 'gzip');
  });
});
