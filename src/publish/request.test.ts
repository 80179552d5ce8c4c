import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tilePath } from '#vault/tree';
import { parseTarget } from './request.ts';

test('each thing that may be fetched has one target', () => {
  assert.deepEqual(parseTarget('/checkpoint'), { what: 'checkpoint' });
  assert.deepEqual(parseTarget('/candidate'), { what: 'candidate' });
  assert.deepEqual(parseTarget('/checkpoint.witnessed'), { what: 'witnessed' });
  assert.deepEqual(parseTarget('/amendments'), { what: 'amendments' });
  assert.deepEqual(parseTarget('/vkey'), { what: 'vkey' });
  assert.deepEqual(parseTarget('/history/x001/002'), { what: 'history', index: 1002 });
  const full = { level: 0, index: 1_234_067, width: 256 };
  assert.deepEqual(parseTarget('/tile/0/x001/x234/067'), { what: 'tile', tile: full });
  const bundle = { level: 'entries', index: 0, width: 255 };
  assert.deepEqual(parseTarget('/tile/entries/000.p/255'), { what: 'tile', tile: bundle });
  assert.deepEqual(parseTarget('/proof/consistency?from=0&to=12'), { what: 'consistency', from: 0, to: 12 });
  assert.deepEqual(parseTarget('/proof/inclusion?entry=0&size=12'), {
    what: 'inclusion',
    entry: 0,
    size: 12,
  });
  assert.deepEqual(parseTarget('/cosignature'), { what: 'cosignature' });
  assert.deepEqual(parseTarget('/contradiction'), { what: 'contradiction' });
});

const none = [
  '',
  '/',
  '*',
  'http://example.com/checkpoint',
  '//checkpoint',
  '/checkpoint/',
  '/checkpoint?',
  '/checkpoint#',
  '/Checkpoint',
  '/checkpoint%00',
  '/%63heckpoint',
  '/tile/0/000/../../../keys/signer.key',
  '/tile/../checkpoint',
  '/tile/entries/../../segment/000.zst',
  '/segment/000.zst',
  '/segment/001.r5.zst',
  '/segment',
  '/staging/1-00',
  '/tile/0/0',
  '/tile/0/1000',
  '/tile/0/x000/001',
  '/tile/0/x001',
  '/tile/00/000',
  '/tile/7/000',
  '/tile/-1/000',
  '/tile/0/000.p/0',
  '/tile/0/000.p/256',
  '/tile/0/000.p/01',
  '/tile/0/000.p/1/',
  '/tile/0/000.p',
  '/tile/0/000.P/1',
  '/tile/entries/000.p/1.gz',
  '/history/0',
  '/history/000.p/1',
  '/history',
  '/keys/vault.vkey',
  '/vault/checkpoint',
  '/vkey?x',
  '/cosignature?x=1',
  '/lock',
  `/tile/0/${'x001/'.repeat(40)}001`,
];
for (const target of none)
  test(`nothing is meant by ${JSON.stringify(target.slice(0, 60))}`, () =>
    assert.equal(parseTarget(target), null));

const unclear = [
  '/proof/consistency',
  '/proof/consistency?from=1',
  '/proof/consistency?to=2&from=1',
  '/proof/consistency?from=1&to=2&to=3',
  '/proof/consistency?from=01&to=2',
  '/proof/consistency?from=-1&to=2',
  '/proof/consistency?from=1e3&to=2000',
  '/proof/consistency?from=0x1&to=2',
  '/proof/consistency?from=1&to=9007199254740993',
  '/proof/inclusion?entry=1&size=%31',
  '/proof/inclusion?entry=&size=',
];
for (const target of unclear)
  test(`a proof is not asked for by ${target}`, () => assert.equal(parseTarget(target), 'unclear'));

test('whatever is asked for as a tile has its own canonical path as its target', () => {
  const parts =
    '/|tile|0|6|7|entries|000|001|255|256|x000|x001|.p|.p/|1|9|..|.|%2e|%2f|segment|.zst|history|?|&|\0| '
      .split('|')
      .concat('checkpoint');
  let seed = 7;
  const next = (below: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return (seed >>> 8) % below;
  };
  let tiles = 0;
  for (let round = 0; round < 200_000; round++) {
    let target =
      next(3) === 0 ? '/' : (['/tile/0/', '/tile/entries/', '/history/', '/tile/'][next(4)] ?? '/');
    for (let i = next(6); i > 0; i--) target += parts[next(parts.length)] ?? '';
    const asked = parseTarget(target);
    if (asked === null || asked === 'unclear' || asked.what !== 'tile') continue;
    tiles += 1;
    assert.equal(`/${tilePath(asked.tile)}`, target);
  }
  assert.ok(tiles > 100, `${tiles} of the random targets were tiles`);
});
