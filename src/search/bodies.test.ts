import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Flag, Framing } from '#vault/record';
import { serveVault, type ServedVault } from './testing/served-vault.ts';

const meta = JSON.stringify({ via: 'http', format: 'bulk', path: '/_bulk', type: '', encoding: 'identity' });

describe('lines of a body', () => {
  let served: ServedVault;
  before(async () => {
    served = await serveVault([
      {
        raw: '{"index":{}}\n{"message":"first"}\n{"index":{}}\n{"message":"second \\"one\\"","n":2}\n',
        framing: Framing.body,
        meta,
        flags: Flag.possibleRedelivery,
      },
      { raw: '<13>May 12 03:00:00 h a: third possible_redelivery=true' },
    ]);
  });
  after(() => served.remove());

  const found = async (query: string): Promise<string[]> =>
    (await served.find(query)).hits.map(({ address, message }) => `${address} ${message}`);

  it('have addresses of their own, and one together', async () => {
    assert.deepEqual(await found('address:0:1'), ['0:1/1 first', '0:1/2 second "one"']);
    assert.deepEqual(await found('address:0:1/2'), ['0:1/2 second "one"']);
    assert.deepEqual(await found('address:0:1/3'), []);
    assert.deepEqual(await found('via:bulk n=2'), ['0:1/2 second "one"']);
  });

  it('have the bytes that stand for them in the body', async () => {
    const { hits } = await served.find('via:bulk');
    assert.deepEqual(
      hits.map(({ raw }) => Buffer.from(raw, 'base64').toString()),
      ['{"message":"first"}', '{"message":"second \\"one\\"","n":2}'],
    );
  });

  it('say where they may have come before, and are found by that', async () => {
    assert.deepEqual(await found('possible_redelivery=true'), ['0:1/1 first', '0:1/2 second "one"']);
    assert.deepEqual(await found('possible_redelivery=* second'), ['0:1/2 second "one"']);
    assert.deepEqual(await found('possible_redelivery=false'), []);
    const { hits } = await served.find('via:bulk OR third');
    assert.deepEqual(
      hits.map(({ fields }) => fields['possible_redelivery']),
      ['true', 'true', undefined],
    );
  });
});
