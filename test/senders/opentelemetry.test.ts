import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { start } from '../../src/receive/testing/receiver.ts';
import { run } from './running.ts';

const tool = join(import.meta.dirname, '..', '..', 'tools', 'otel-sender');
const skip = existsSync(join(tool, 'node_modules', '@opentelemetry', 'sdk-logs'))
  ? false
  : `the OpenTelemetry SDK is not installed (npm ci in ${tool})`;

describe("OpenTelemetry's SDK over OTLP/HTTP", { skip }, () => {
  for (const [form, type] of [
    ['protobuf', 'application/x-protobuf'],
    ['json', 'application/json'],
  ] as const)
    for (const compression of ['none', 'gzip'])
      it(`sends ${form}, compression ${compression}, and takes the answer for what it is`, async (t) => {
        const receiver = await start(t, ['http']);
        const url = `http://127.0.0.1:${receiver.port('http')}/v1/logs`;
        const texts = ['first line', 'second\nline'];
        const { code, output } = await run(
          t,
          process.execPath,
          ['send.js', form, compression, url, ...texts],
          {
            cwd: tool,
          },
        );
        assert.equal(code, 0, output);
        const [body, ...more] = receiver.stored();
        assert.equal(more.length, 0);
        const meta = JSON.parse(body?.meta ?? '');
        assert.deepEqual([meta.format, meta.path, meta.type], ['otlp', '/v1/logs', type]);
        assert.equal(meta.encoding, compression === 'none' ? 'identity' : 'gzip');
        assert.match(meta.agent, /^OTel-OTLP-Exporter-JavaScript\//);
        const raw = body?.raw ?? Buffer.alloc(0);
        const plain = compression === 'none' ? raw : gunzipSync(raw);
        if (form === 'json') {
          const [{ scopeLogs }] = JSON.parse(plain.toString()).resourceLogs;
          assert.deepEqual(
            scopeLogs[0].logRecords.map(
              (record: { body: { stringValue: string } }) => record.body.stringValue,
            ),
            texts,
          );
        } else for (const text of texts) assert.ok(plain.includes(text));
      });

  it('is told to come again where the receiver cannot take it', async (t) => {
    const receiver = await start(t, ['http']);
    // Not the path for logs: an error that it reports, and nothing stored.
    const url = `http://127.0.0.1:${receiver.port('http')}/v1/nothing`;
    const { code, output } = await run(t, process.execPath, ['send.js', 'json', 'none', url, 'x'], {
      cwd: tool,
    });
    assert.equal(code, 1);
    assert.match(output, /Not Found|404/);
    assert.equal(receiver.stored().filter(({ listener }) => listener.startsWith('http=')).length, 0);
  });
});
