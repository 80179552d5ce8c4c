import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { micros } from '#base/clock';
import { serveVault, type ServedVault } from './testing/served-vault.ts';

const received = micros(Date.UTC(2026, 4, 12, 3) * 1000);

const lines = [
  '<38>May 12 02:59:59 web1 sshd[1]: pam_unix(sshd:session): session opened for user alice(uid=1000) by (uid=0)',
  '<13>1 2026-05-12T02:59:59Z web1 shop - - - level=info user=alice order=17 note="two words"',
  '<13>May 12 02:59:59 web1 shop: @cee: {"user":"alicia","http":{"status":502},"msg":"bad gateway"}',
  '<189>123: *Mar  1 18:48:50.483 UTC: %SYS-5-CONFIG_I: Configured from console',
  '<13>May 12 2026 02:59:59 UTC web1 user=nobody said nothing',
  '<13>1 2026-05-12T02:59:59Z web1 liar - - - guessed=year',
];

describe('fields that were taken from the message', () => {
  let served: ServedVault;
  before(async () => {
    served = await serveVault(lines.map((raw) => ({ raw, received })));
  });
  after(() => served.remove());

  /** Numbers of the lines that match. */
  const found = async (query: string): Promise<number[]> =>
    (await served.find(query)).hits.map(({ address }) => Number(address.split(':')[1])).toSorted();

  const cases: [query: string, wanted: number[]][] = [
    ['user=alice', [1, 2]],
    ['user=ALICE', [1, 2]],
    ['user=ali*', [1, 2, 3]],
    ['user=*', [1, 2, 3, 5]],
    ['note="two words"', [2]],
    ['order=17 user=alice', [2]],
    ['http.status=502', [3]],
    ['gateway', [3]],
    ['uid=1000', [1]],
    ['uid=0', [1]],
    ['mnemonic=CONFIG_I', [4]],
    ['facility=SYS', [4]],
    ['%SYS-5-CONFIG_I', [4]],
    ['sequence=123', [4]],
    ['-user=* app:shop', []],
    ['guessed=year', [1, 3, 4]],
    ['guessed=zone', [1, 3]],
    ['guessed=clock', [4]],
    ['guessed=host', [5]],
    ['guessed=*', [1, 3, 4, 5]],
    ['guessed=nothing', []],
  ];
  for (const [query, wanted] of cases) it(query, async () => assert.deepEqual(await found(query), wanted));

  it('says with each line what was guessed, how sure the parser was, and which one it was', async () => {
    const { hits } = await served.find('address:0:1 OR address:0:2 OR address:0:5');
    const seen = new Map(hits.map((hit) => [hit.address, hit]));
    assert.deepEqual(
      ['0:1', '0:2', '0:5'].map((address) => [seen.get(address)?.guessed, seen.get(address)?.confidence]),
      [
        [['year', 'zone'], 90],
        [[], 100],
        [['host'], 70],
      ],
    );
    assert.ok(hits.every(({ parser }) => parser !== undefined && parser > 1));
  });

  it('does not sort by a clock that its sender says is not set', async () => {
    const [hit] = (await served.find('mnemonic=CONFIG_I')).hits;
    assert.deepEqual(
      [hit?.claimed, hit?.time],
      ['2026-03-01T18:48:50.483000Z', '2026-05-12T03:00:00.000000Z'],
    );
  });
});
