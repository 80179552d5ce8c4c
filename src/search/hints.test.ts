import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { serveVault, type ServedVault } from './testing/served-vault.ts';

describe('hints of an answer', () => {
  let served: ServedVault;
  before(async () => {
    served = await serveVault([
      { raw: '<38>1 2026-05-12T03:00:00Z web1 sshd - - - one' },
      { raw: '<38>1 2026-05-12T03:00:00Z web1 sshd-session - - - two or three' },
    ]);
  });
  after(() => served.remove());

  const cases: [query: string, hints: string[]][] = [
    [
      'program:ssh',
      ['no program is named "ssh": there is sshd, sshd-session; app:*ssh* finds all that contain it'],
    ],
    ['host:wbe1 one', ['no host is named "wbe1": there is web1']],
    ['host:web1,db9', ['no host is named "db9"']],
    ['one or two', ['"or" was looked for as a word of the line; OR in capitals joins words']],
    ['two or three', []],
    ['one || two', ['"||" was looked for as text; OR in capitals finds lines with either']],
    ['one && two', ['"&&" was looked for as text; words are joined by AND as they stand']],
    ['one !two', ['"!two" was looked for as text; -two leaves lines out']],
    ['host: web1', ['"host:" was looked for as text; no space may stand behind it: host:value']],
    ['nothing: here', []],
    ['status >= 500', ['">=" was looked for as text; no space may stand around it: name>=value']],
    ['status= 500', ['"status=" was looked for as text; no space may stand behind it: status=value']],
    ['status==500', ['"status==500" was looked for as text; write status=500']],
    ['"status==500"', []],
    ['“one two”', ['"“one" was looked for as text; a phrase stands in straight quotes: "…"']],
    ['app:ss?d', ['no program is named "ss?d": there is sshd; of signs only * stands for other text']],
    ['host:/web1/', ['no host is named "/web1/": there is web1; of signs only * stands for other text']],
    ['app:sshd -host:db9', []],
    ['app:ssh*', []],
  ];
  for (const [query, hints] of cases)
    it(query, async () => assert.deepEqual((await served.find(query)).answer.hints ?? [], hints));
});
