import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { longestGroup, writeWords, type Place, type WordFile } from './word-file.ts';

describe('the file of words', () => {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-words-'));
  const path = join(directory, 'words');
  let file: WordFile;
  const find = async (text: string, place: Place = 'anywhere', most = 10): Promise<string> => {
    const found = await file.containing(text, place, most);
    return found === 'many' ? found : found.toSorted().join(' ');
  };

  before(async () => {
    const writer = await writeWords(path);
    const add = (length: number, hex: boolean, words: string | Buffer): Promise<void> =>
      writer.add({ length, hex }, Buffer.from(words));
    await add(5, false, 'alice\nmalic\nalixe');
    await add(6, false, 'malice\nalices');
    await add(7, false, Buffer.from('caf\xe9bar\nbarista', 'latin1'));
    await add(6, true, 'abcdef\n123abc');
    await add(longestGroup, false, `${'x'.repeat(70)}alice\nälice${'y'.repeat(65)}`);
    file = writer.done();
  });
  after(async () => {
    await file.close();
    rmSync(directory, { recursive: true });
  });

  it('has the words that contain a text, and the text itself', async () => {
    assert.equal(await find('alice'), `alice alices malice ${'x'.repeat(70)}alice`);
    assert.equal(await find('bob'), 'bob');
    assert.equal(await find('abc'), '123abc abc abcdef');
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
