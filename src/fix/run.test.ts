import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asked } from './run.ts';

const bytes = async (count: number): Promise<string> => asked(['head', '-c', String(count), '/dev/zero']);

test('what a plan must know is had whole, or not at all', async () => {
  assert.equal((await bytes(3_000_000)).length, 3_000_000);
  await assert.rejects(bytes(70_000_000), { code: 'could-not-look', message: /printed more than 67108864/ });
});
