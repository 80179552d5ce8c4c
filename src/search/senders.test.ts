import assert from 'node:assert/strict';
import { test } from 'node:test';
import { senderFigures } from '#wire/search';
import { bodyOf, serveVault } from './testing/served-vault.ts';

test('counts for each sender what came, and what did not', async (t) => {
  const served = await serveVault([
    {
      raw: '{"kind":"loss","cause":"kernel udp drop","listener":"syslog-udp=127.0.0.1:514","count":7}',
      listener: 'receiver',
      peer: 'receiver',
      meta: '{"via":"self","host":"web1"}',
    },
  ]);
  t.after(() => served.remove());
  const ledger = (line: object) => ({
    raw: JSON.stringify(line),
    listener: 'receiver',
    peer: 'receiver',
    meta: '{"via":"self","host":"web1"}',
  });
  const of = { listener: 'syslog-tcp=0.0.0.0:514', sender: '203.0.113.9' };
  await served.add([
    {
      raw: '<13>1 2026-05-12T02:00:00Z web7 app - - - relayed',
      peer: '203.0.113.9:4',
      tlsName: 'relay1.example.net',
    },
    {
      raw: '<13>1 2026-05-12T02:00:00Z relay1 app - - - its own',
      peer: '203.0.113.9:4',
      tlsName: 'relay1.example.net',
    },
    ledger({ kind: 'torn', cause: 'cut frame', ...of, count: 2, bytes: 17 }),
    ledger({ kind: 'torn', cause: 'line without end', ...of, count: 1, bytes: 5 }),
    ledger({ kind: 'refusal', cause: 'refused sender', ...of, sender: '198.51.100.66', count: 40 }),
    ledger({ kind: 'backpressure', cause: 'disk behind', ...of, count: 3, seconds: 1.5 }),
    {
      ...ledger({ kind: 'torn', cause: 'cut frame', ...of, count: 1000 }),
      listener: 'own',
      peer: 'somebody who slanders',
    },
  ]);
  const figures = senderFigures.array().parse(JSON.parse(await bodyOf(await served.call('GET', '/senders'))));
  const one = figures.find(({ sender }) => sender === '203.0.113.9');
  assert.ok(one !== undefined);
  const { causes, first, last, ...rest } = one;
  assert.ok(first !== null && last !== null);
  assert.deepEqual(rest, {
    sender: '203.0.113.9',
    names: ['relay1.example.net'],
    via: ['syslog-tcp'],
    hosts: 2,
    lines: 2,
    lost: 0,
    torn: 3,
    refused: 0,
    heldBack: 1.5,
    mismatched: 1,
  });
  assert.deepEqual(
    causes.map(({ kind, cause, count }) => [kind, cause, count]),
    [
      ['backpressure', 'disk behind', 3],
      ['torn', 'cut frame', 2],
      ['torn', 'line without end', 1],
    ],
  );
  const stranger = figures.find(({ sender }) => sender === '198.51.100.66');
  assert.deepEqual([stranger?.lines, stranger?.last, stranger?.refused], [0, null, 40]);
  assert.equal(figures.find(({ sender }) => sender === null)?.lost, 7);

  const marked = await served.find('claimed_host_mismatch=*');
  assert.deepEqual(
    marked.hits.map(({ host, fields }) => [host, fields['claimed_host_mismatch']]),
    [['web7', 'relay1.example.net']],
  );
  const { completeness } = (await served.find('source:203.0.113.9 since:2026-05-12')).answer;
  const torn = completeness.gaps.find(({ sender }) => sender === '203.0.113.9');
  assert.deepEqual([torn?.cause, torn?.listener, torn?.count], ['cut frame', of.listener, 2]);
  assert.match(completeness.detail, /cannot be told: line without end, 1 times, of 203\.0\.113\.9/);
  assert.ok(!JSON.stringify(completeness).includes('198.51.100.66'), 'who may not speak leaves no gap');
  const others = (await served.find('source:192.0.2.1 since:2026-05-12')).answer.completeness;
  assert.ok(!JSON.stringify(others.gaps).includes('203.0.113.9'), 'another sender lost nothing of this one');
});
