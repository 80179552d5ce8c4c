import assert from 'node:assert/strict';
import { test } from 'node:test';
import { micros, type Micros } from '#base/clock';
import { newArrivals } from './arrivals.ts';
import { Senders } from './senders.ts';

const second = (n: number): Micros => micros(n * 1_000_000);

/** Senders whose newest line is from then. */
const until = (n: number): Senders => {
  const senders = new Senders();
  senders.add(second(n), '', '', { source: '', listener: '', via: '', stream: '' });
  return senders;
};

test('the newest lines are looked for where many came of late', () => {
  const arrivals = newArrivals();
  arrivals.note(1000, second(1000), until(1000));
  arrivals.note(5000, second(1010), until(1010));
  arrivals.note(9000, second(1020), until(1020));
  assert.equal(arrivals.timeOf(7000, second(0)), second(1015));
  assert.equal(arrivals.timeOf(500, second(0)), second(500));
  assert.equal(arrivals.linesBefore(second(1005), second(0)), 3000);
  assert.equal(arrivals.linesBefore(second(2000), second(0)), 9000);
});

test('neither a clock that is ahead nor old files that come in today move the end', () => {
  const arrivals = newArrivals();
  arrivals.note(1000, second(1000), until(90_000));
  arrivals.note(2000, second(2000), until(10));
  assert.equal(arrivals.timeOf(2000, second(0)), second(1000));
});

test('lines that were taken away begin it anew, and what nobody knows is left out', () => {
  const arrivals = newArrivals();
  arrivals.note(1000, second(1000), until(1000));
  arrivals.note(10, second(1001), until(1001));
  arrivals.note(20, micros(0), until(1002));
  assert.equal(arrivals.timeOf(20, second(1)), second(1001));
  arrivals.note(110, second(1101), until(1101));
  assert.equal(arrivals.timeOf(60, second(1)), second(1051));
});

test('it stays small', () => {
  const arrivals = newArrivals();
  for (let n = 1; n <= 10_000; n += 1) arrivals.note(n, second(n), until(n));
  for (const n of [1, 77, 5000, 9999])
    assert.ok(Math.abs(arrivals.timeOf(n, second(0)) - second(n)) <= second(16), String(n));
});
