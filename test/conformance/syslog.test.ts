import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { z } from 'zod';
import { Guessed } from '../../src/index/parse/parsed.ts';
import { at, parse } from '../../src/index/testing/seen.ts';

/** See test/vectors/syslog/README.md. */
const vectors = z.strictObject({
  what: z.string(),
  cases: z.array(
    z.strictObject({
      raw: z.string(),
      note: z.string().optional(),
      meta: z.strictObject({ via: z.string(), host: z.string(), path: z.string() }).optional(),
      received: z.string().optional(),
      want: z.strictObject({
        claimed: z.string().nullable().optional(),
        host: z.string().optional(),
        app: z.string().optional(),
        pid: z.number().nullable().optional(),
        facility: z.number().optional(),
        severity: z.number().optional(),
        message: z.string().optional(),
        fields: z.record(z.string(), z.string()).optional(),
        confidence: z.number().optional(),
        guessed: z.array(z.string()).optional(),
      }),
    }),
  ),
});

const directory = join(import.meta.dirname, '../vectors/syslog');

for (const file of readdirSync(directory).filter((name) => name.endsWith('.json'))) {
  const { what, cases } = vectors.parse(JSON.parse(readFileSync(join(directory, file), 'utf8')));
  describe(what, () => {
    for (const { raw, note, meta, received, want } of cases) {
      it(note ?? JSON.stringify(raw).slice(0, 120), () => {
        const line = parse(raw, meta ?? null, received === undefined ? undefined : at(received));
        const text = (bytes: string): string => Buffer.from(bytes, 'latin1').toString('utf8');
        const found = {
          ...line,
          host: text(line.host),
          app: text(line.app),
          message: text(line.message),
          fields: Object.fromEntries(
            Object.entries(line.fields).map(([name, value]) => [text(name), text(value)]),
          ),
          guessed: Object.entries(Guessed)
            .filter(([, bit]) => (line.guessed & bit) !== 0)
            .map(([name]) => name),
        };
        const asked = Object.keys(want);
        assert.ok(asked.length > 0, 'nothing is asked');
        assert.deepEqual(
          Object.fromEntries(Object.entries(found).filter(([name]) => asked.includes(name))),
          Object.fromEntries(
            Object.entries(found).flatMap(([name]) =>
              name in want ? [[name, Reflect.get(want, name)]] : [],
            ),
          ),
        );
      });
    }
  });
}
