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
  assert.deepEqual(await lookedUp('"password for alice from 192.168.0.555"'), ['end password', 'begin 555']);
  assert.deepEqual(await lookedUp('"password for alice from 192.168.0.155"'), ['end password']);
});

test('words are not looked up that are whole, short, of an address, or need not be there', async () => {
  for (const query of ['"- whole -"', 'ab', '10.0.0.5', 'alice OR bob', '-alice', '*'])
    assert.deepEqual(await lookedUp(query), [], query);
});

test('words are looked up for names of fields, but not for short ones that all hexadecimal words may end with', async () => {
  assert.deepEqual(await lookedUp('user=root'), ['end user']);
  assert.deepEqual(await lookedUp('fd=3 a=1 A0=x db=x 7f=x'), []);
  assert.deepEqual(await lookedUp('id=3 fd0=3'), ['end id', 'end fd0']);
});
