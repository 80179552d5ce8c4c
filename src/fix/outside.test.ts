import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeOutside } from './outside.ts';
import type { OpenDoor } from './plan.ts';
import type { Knock } from './prove.ts';

const door = (address: string): OpenDoor[] => [{ protocol: 'udp', address, port: 68, v6only: null }];
const knock = (address: string, answer: Knock['answer']): Knock => ({
  target: { protocol: 'udp', address, port: 68 },
  answer,
});
const none = new Set<never>();

test('a host that has lost its address is no proof that its door is shut', () => {
  const before = [knock('10.0.0.5', 'open')];
  const { broke, outside } = judgeOutside(door('0.0.0.0'), before, [], none);
  assert.match(broke ?? '', /no address any more to knock at \(before: 10\.0\.0\.5 udp 68: open\)/);
  assert.equal(outside, 'unproven');
});

test('where one of two families is lost, the other proves nothing for it', () => {
  const before = [knock('2001:db8::5', 'open'), knock('10.0.0.5', 'open')];
  const after = [knock('10.0.0.5', 'refused')];
  assert.match(judgeOutside(door('::'), before, after, none).broke ?? '', /before: 2001:db8::5/);
  const accepted = judgeOutside(door('::'), before, after, new Set(['unproven-outside'] as const));
  assert.deepEqual([accepted.broke, accepted.outside], [null, 'unproven']);
  assert.match(accepted.told[1]?.text ?? '', /^not proven: this host has no address any more/);
});

test('another address of the same family stands for a door at every address', () => {
  const { broke, outside } = judgeOutside(
    door('0.0.0.0'),
    [knock('10.0.0.5', 'open')],
    [knock('10.0.0.6', 'refused')],
    none,
  );
  assert.deepEqual([broke, outside], [null, 'proven']);
});

test('a door at one address is out of reach when that address goes with it', () => {
  assert.equal(judgeOutside(door('10.0.0.5'), [knock('10.0.0.5', 'open')], [], none).broke, null);
});

test('what answers, or cannot be told any more, breaks it', () => {
  const before = [knock('10.0.0.5', 'open')];
  const broke = (answer: Knock['answer']): string | null =>
    judgeOutside(door('0.0.0.0'), before, [knock('10.0.0.5', answer)], none).broke;
  assert.match(broke('open') ?? '', /still answers/);
  assert.match(broke('unreachable') ?? '', /cannot be told any more/);
  assert.equal(broke('refused'), null);
});
