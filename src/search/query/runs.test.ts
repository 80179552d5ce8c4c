import assert from 'node:assert/strict';
import { test } from 'node:test';
import { micros } from '#base/clock';
import { parseQuery } from './parse.ts';
import { lookUpWords } from './runs.ts';
import { questionMatcher } from './wildcard.ts';

const lookedUp = async (query: string): Promise<string[]> => {
  const asked: string[] = [];
  await lookUpWords(
    parseQuery(query, micros(0)).expression,
    (question) => ['web1'].filter(questionMatcher(question)),
    {
      containing: (text, place) => {
        asked.push(`${place} ${text}`);
        return Promise.resolve([text]);
      },
    },
  );
  return asked;
};

test('words are looked up for texts that only a message has', async () => {
  assert.deepEqual(await lookedUp('alice web'), ['anywhere alice']);
  assert.deepEqual(await lookedUp('message:web'), ['anywhere web']);
});

test('words are not looked up that are whole, short, of an address, or need not be there', async () => {
  for (const query of ['"- whole -"', 'ab', '10.0.0.5', 'alice OR bob', '-alice', '*'])
    assert.deepEqual(await lookedUp(query), [], query);
});
