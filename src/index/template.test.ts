import assert from 'node:assert/strict';
import { test } from 'node:test';
import { messageTemplate } from './template.ts';

const cases: readonly [message: string, template: string][] = [
  ['Failed password for root from 10.0.0.5 port 51234 ssh2', 'Failed password for root from <*> port <*>'],
  ['Accepted publickey for deploy@web-3 from 2001:db8::17', 'Accepted publickey for <*> from <*>'],
  ['Out of memory: Killed process 4711 (java)', 'Out of memory: Killed process <*> (java)'],
  ['user=alice uid=1000 tty="pts/0" result=ok', 'user=<*> uid=<*> tty=<*> result=<*>'],
  ['GET "/index.html?q=1" 200 in 12ms.', 'GET "<*>" <*> in <*>.'],
  ['open /var/lib/app/data.db: no space left on device', 'open <*> no space left on device'],
  ["can't resolve 'db.example', isn't there", "can't resolve '<*>', isn't there"],
  ['peers 10.0.0.1, 10.0.0.2, 10.0.0.3 are up', 'peers <*> are up'],
  ['peers 10.0.0.1 are up', 'peers <*> are up'],
  ['  spaces\tcount \n once ', 'spaces count once'],
  ['status installed libssl3:amd64 3.0.15-1~deb12u1', 'status installed <*>'],
  ['to=<a@b.example>, relay=mx.b.example[10.0.0.1]:25, delay=0.1', 'to=<*>, relay=<*>, delay=<*>'],
  ['', ''],
];

test('what differs from line to line is a variable, and nothing else', () => {
  for (const [message, template] of cases) assert.equal(messageTemplate(message), template, message);
});

test('a template is its own template, so that folding twice changes nothing', () => {
  for (const [, template] of cases) assert.equal(messageTemplate(template), template);
});

test('a message that a stranger made long and odd has a short template', () => {
  for (const piece of ["'", '"', '=', 'a', 'a=', '/', '<*>', 'a@', '.:', 'a=[', '['])
    assert.ok(messageTemplate(piece.repeat(1_000_000)).length <= 4 * 2048);
});
