import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { openIndex, utc } from '#index';
import { source } from '#wire/search';
import { bodyOf, serveVault, type ServedVault } from './testing/served-vault.ts';

const kept = 5;
const strangers = 1500;

describe('more senders than are kept by name', () => {
  let served: ServedVault;

  before(async () => {
    served = await serveVault(
      [
        ...Array.from({ length: 10 }, () => ({ raw: '<13>1 2026-05-12T02:00:00Z known daily - - - line' })),
        ...Array.from({ length: strangers }, (_, i) => ({
          raw: `<13>1 2026-05-12T02:30:00Z Host-${i} app${i} - - - x`,
        })),
        { raw: 'a line of nobody' },
      ],
      { mostSenders: kept },
    );
  });
  after(() => served.remove());

  it('keeps only so many in memory, and counts the rest', () => {
    const { senders } = served.index;
    const listed = [...senders.all()].reduce((sum, { lines }) => sum + lines, 0);
    assert.equal([...senders.all()].length, kept);
    assert.equal(listed + (senders.others()?.lines ?? 0), served.index.state().lines);
  });

  const queries: [query: string, count: number][] = [
    ['host:host-777', 1],
    ['app:APP1234', 1],
    ['app:app123*', 11],
    ['host:host-*', strangers],
    ['-host:host-*', 11],
    ['app:nobody', 0],
    ['app777', 1],
    ['host-77', 11],
    ['known', 10],
    ['app', strangers],
    ['via:syslog-tcp', strangers + 11],
    ['listener:nobody', 0],
  ];
  for (const [query, count] of queries) {
    it(`finds ${query}`, async () => {
      assert.equal((await served.find(query, { limit: 0 })).answer.count, count);
    });
  }

  it('says how many it does not list, and that it cannot tell what they lost', async () => {
    const sources = source.array().parse(JSON.parse(await bodyOf(await served.call('GET', '/sources'))));
    assert.equal(sources.length, kept + 1);
    const last = sources.at(-1);
    assert.equal(last?.others, strangers + 2 - kept);
    assert.match(last?.source ?? '', /more senders, not listed/);
    const { completeness } = (await served.find('', { limit: 0 })).answer;
    assert.equal(completeness.verdict, 'unknown');
    assert.match(completeness.detail, /senders that are not kept by name/);
  });

  it('takes those with the most lines from the table when it starts', async () => {
    const { index, grown } = served;
    await index.stop();
    const again = await openIndex({
      path: `${grown.root}/index`,
      vault: index.vault,
      log: () => undefined,
      local: utc,
      mostSenders: kept,
    });
    try {
      const senders = [...again.senders.all()];
      assert.equal(senders.length, kept);
      assert.equal(senders.find(({ host }) => host === 'known')?.lines, 10);
      const listed = senders.reduce((sum, { lines }) => sum + lines, 0);
      assert.equal(listed + (again.senders.others()?.lines ?? 0), again.state().lines);
      assert.equal(again.senders.others()?.numbered, false);
    } finally {
      await again.stop();
    }
  });
});
