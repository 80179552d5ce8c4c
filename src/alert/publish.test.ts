import assert from 'node:assert/strict';
import { test } from 'node:test';
import { micros } from '#base/clock';
import { parseQuery } from '#search';
import { lookCommand } from './publish.ts';

const time = '2026-05-12T03:00:00.000000Z';
const commandFor = (of: Record<string, string>): string =>
  lookCommand('app:sshd', [
    {
      episode: 'e-1',
      state: 'firing',
      of,
      text: '',
      lines: 1,
      since: time,
      until: time,
      samples: [],
    },
  ]) ?? assert.fail();

test('a value of a line that has quotes and backslashes is one value of the command, and nothing else', () => {
  const command = commandFor({ host: 'a\\"b" OR host:"c', user: "d'e", task: 'x\u001b[2J\ny' });
  assert.match(command, /^holdfast logs search '[ -~]*'$/);
  const query = command.slice("holdfast logs search '".length, -1).replaceAll(`'\\''`, "'");
  assert.deepEqual(
    parseQuery(query, micros(0)),
    parseQuery(
      `app:sshd host:"a\\\\\\"b\\" OR host:\\"c" user="d'e" since:2026-05-12T03:00:00Z until:2026-05-12T03:00:01Z`,
      micros(0),
    ),
  );
  assert.doesNotMatch(command, /task|OR host:"c"/);
});
