import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { micros } from '#base/clock';
import { contextHit, type ContextRequest } from '#wire/context';
import { answer as answerSchema, searchError, type Answer } from '#wire/search';
import { bodyOf, serveVault, type ServedVault } from '../testing/served-vault.ts';

const line = (time: string, host: string, message: string) => ({
  raw: `<14>1 2026-05-12T${time}Z ${host} app - - - ${message}`,
  received: micros(Date.UTC(2026, 4, 12, 4) * 1000),
});

describe('the lines around a line', () => {
  let served: ServedVault;
  before(async () => {
    served = await serveVault([
      line('01:00:00', 'web1', 'hours before'),
      line('02:59:59.9', 'web1', 'before'),
      line('03:00:00.1', 'db1', 'of another host'),
      line('03:00:00.5', 'web1', 'asked'),
      line('03:00:00.5', 'web1', 'at the same time'),
      line('03:00:00.9', 'db1', 'of another host, after'),
      line('03:00:01', 'db1', 'a second later'),
      line('03:30:00', 'web1', 'after'),
      {
        raw: '{"kind":"heartbeat"}',
        listener: 'receiver',
        peer: 'receiver',
        meta: '{"via":"self","host":"web1"}',
      },
    ]);
  });
  after(() => served.remove());

  const context = async (asked: ContextRequest): Promise<{ found: string[]; answer: Answer['answer'] }> => {
    const response = await served.call('POST', '/context', asked);
    const text = await bodyOf(response);
    assert.equal(response.statusCode, 200, text);
    const lines = text
      .trimEnd()
      .split('\n')
      .map((one): unknown => JSON.parse(one));
    return {
      found: lines
        .slice(0, -1)
        .map((one) => contextHit.parse(one))
        .map((hit) => `${hit.asked === true ? '> ' : ''}${hit.message}`),
      answer: answerSchema.parse(lines.at(-1)).answer,
    };
  };

  it('are those of its host, oldest first, the line itself marked', async () => {
    const { found, answer } = await context({ address: '0:4' });
    assert.deepEqual(found, ['hours before', 'before', '> asked', 'at the same time', 'after']);
    assert.equal(answer.integrity.verdict, 'unaltered');
    assert.deepEqual(answer.range, {
      since: '2026-05-12T01:00:00.000000Z',
      until: '2026-05-12T03:30:00.000001Z',
      covered: { from: '2026-05-12T01:00:00.000000Z', until: '2026-05-12T03:30:00.000001Z' },
    });
  });

  it('are no more than were asked for, the nearest', async () => {
    assert.deepEqual((await context({ address: '0:4', before: 1, after: 1 })).found, [
      'before',
      '> asked',
      'at the same time',
    ]);
    assert.deepEqual((await context({ address: '0:5', before: 1, after: 0 })).found, [
      'asked',
      '> at the same time',
    ]);
  });

  it('are those of all hosts in its second', async () => {
    const all = ['of another host', '> asked', 'at the same time', 'of another host, after'];
    const { found, answer } = await context({ address: '0:4', hosts: 'all' });
    assert.deepEqual(found, all);
    assert.equal(answer.count, 4);
    const fewer = await context({ address: '0:4', hosts: 'all', before: 0, after: 1 });
    assert.deepEqual([fewer.found, fewer.answer.count], [['> asked', 'at the same time'], 4]);
  });

  it('have lines of Holdfast itself only around one of them', async () => {
    assert.deepEqual((await context({ address: '0:9', before: 1, after: 1 })).found, [
      'before',
      '> heartbeat',
      'asked',
    ]);
  });

  it('are refused with the reason where there is no such line', async () => {
    for (const [address, reason] of [
      ['nonsense', /is no address/],
      ['7:1', /the newest entry of the vault is 0/],
      ['0:0', /manifest/],
      ['0:77', /entry 0 has no such line/],
    ] as const) {
      const response = await served.call('POST', '/context', { address });
      assert.equal(response.statusCode, 400);
      assert.match(searchError.parse(JSON.parse(await bodyOf(response))).error.message, reason);
    }
  });
});
