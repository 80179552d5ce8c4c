import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { writeWords, type WordFile } from './word-file.ts';
import { isPacked, longestGroup, type Place } from './word-group.ts';

describe('the file of words', () => {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-words-'));
  const path = join(directory, 'words');
  let file: WordFile;
  /** More than is read at once; of the digits from 1 to 9. */
  const many = Array.from({ length: 150_000 }, (_, n) =>
    hash('md5', String(n))
      .slice(0, 16)
      .replace(/./g, (digit) => String((Number.parseInt(digit, 16) % 9) + 1)),
  );
  const find = async (text: string, place: Place = 'anywhere', most = 10): Promise<string> => {
    const found = await file.containing(text, place, most);
    return found === 'many' ? found : found.toSorted().join(' ');
  };

  before(async () => {
    const writer = await writeWords(path);
    const add = (length: number, hex: boolean, words: readonly (string | Buffer)[]): Promise<void> =>
      writer.add(
        { length, hex },
        Buffer.concat(
          words.map((word) =>
            isPacked({ length, hex })
              ? Buffer.from(`${'0'.repeat(length % 2)}${String(word)}`, 'hex')
              : Buffer.concat([Buffer.from(word), Buffer.from('\n')]),
          ),
        ),
      );
    await add(5, false, ['alice', 'malic', 'alixe']);
    await add(6, false, ['malice', 'alices']);
    await add(7, false, [Buffer.from('caf\xe9bar', 'latin1'), 'barista']);
    await add(6, true, ['abcdef', '123abc', '000000', '0000ab', 'cd0000']);
    await add(7, true, ['0abcd12', 'f0abcd1', 'abcd120']);
    await add(longestGroup, false, [`${'x'.repeat(70)}alice`, `älice${'y'.repeat(65)}`]);
    await add(longestGroup, true, ['0abcd'.repeat(14)]);
    await add(16, true, many);
    file = writer.done();
  });
  after(async () => {
    await file.close();
    rmSync(directory, { recursive: true });
  });

  it('has the words that contain a text, and the text itself', async () => {
    assert.equal(await find('alice'), `alice alices malice ${'x'.repeat(70)}alice`);
    assert.equal(await find('bob'), 'bob');
    assert.equal(await find('decade'), 'decade');
  });

  it('finds digits wherever they stand in a word of digits, and not across two words', async () => {
    assert.equal(await find('abc'), `0${'abcd0'.repeat(13)}abcd 0abcd12 123abc abc abcd120 abcdef f0abcd1`);
    assert.equal(await find('0abcd1'), '0abcd1 0abcd12 f0abcd1');
    assert.equal(await find('0abcd1', 'begin'), '0abcd1 0abcd12');
    assert.equal(await find('abcd1', 'end'), 'abcd1 f0abcd1');
    assert.equal(await find('bc000'), 'bc000');
    assert.equal(await find('abcd00'), 'abcd00');
    assert.equal(await find('00000', 'end'), '00000 000000');
  });

  it('finds them in many words, longer than is read at once', async () => {
    for (const word of [many[0], many[70_000], many.at(-1)])
      for (const from of [0, 1, 5]) {
        const text = word?.slice(from, from + 9) ?? '';
        const expected = [text, ...many.filter((one) => one.includes(text))].toSorted().join(' ');
        assert.equal(await find(text), expected);
      }
  });

  it('has those alone that begin or end with it', async () => {
    assert.equal(await find('alice', 'begin'), 'alice alices');
    assert.equal(await find('alice', 'end'), `alice malice ${'x'.repeat(70)}alice`);
    assert.equal(await find('lice', 'begin'), 'lice');
  });

  it('leaves words beyond ASCII as they are', async () => {
    assert.equal(
      await find('lice', 'anywhere'),
      `alice alices lice malice ${'x'.repeat(70)}alice älice${'y'.repeat(65)}`,
    );
  });

  it('lists none where one of them is not UTF-8, which a string cannot hold', async () => {
    assert.equal(await find('caf'), 'many');
    assert.equal(await find('bar', 'end'), 'many');
    assert.equal(await find('bar', 'begin'), 'bar barista');
  });

  it('says where there are more than can be listed', async () => {
    assert.equal(await find('alice', 'anywhere', 2), 'many');
  });

  it('is deleted when it is closed', async () => {
    await file.close();
    assert.equal(existsSync(path), false);
  });
});
