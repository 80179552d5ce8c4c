import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { forecastOf, thinned, toSay, type DiskSample, type Forecast, type Said } from './disk-forecast.ts';

const hour = 3_600_000;
const day = 24 * hour;
const GB = 1e9;
const now = Date.UTC(2026, 4, 12, 3);

/** A sample each five minutes, thinned as the watch does. @param freeAt by days before now */
const samples = (days: number, freeAt: (daysAgo: number) => number): DiskSample[] => {
  const all: DiskSample[] = [];
  for (let ago = days * day; ago >= 0; ago -= 5 * 60_000)
    all.push({ at: now - ago, free: freeAt(ago / day) });
  return thinned(all, now);
};

const days = (forecast: Forecast): number => {
  assert.equal(forecast.result, 'fills', JSON.stringify(forecast));
  return forecast.result === 'fills' ? forecast.days : Number.NaN;
};

const near = (actual: number, expected: number): void =>
  assert.ok(Math.abs(actual - expected) < expected * 0.1, `${actual} instead of ${expected}`);

describe('disk forecast', () => {
  it('tells of steady growth, from two days on', () => {
    near(
      days(
        forecastOf(
          samples(14, (ago) => 50 * GB + ago * 10 * GB),
          now,
        ),
      ),
      5,
    );
    near(
      days(
        forecastOf(
          samples(2.5, (ago) => 50 * GB + ago * 10 * GB),
          now,
        ),
      ),
      5,
    );
    assert.equal(
      forecastOf(
        samples(14, (ago) => 500 * GB + ago * 10 * GB),
        now,
      ).result,
      'lasts',
    );
  });

  it('is not misled by what happened once: a burst, a restored backup, a cleaning up', () => {
    const burst = samples(14, (ago) => 50 * GB + ago * GB + (ago > 0.8 ? 400 * GB : 0));
    assert.equal(forecastOf(burst, now).result, 'lasts');
    for (const cleaned of [0.3, 3, 7, 12])
      near(
        days(
          forecastOf(
            samples(14, (ago) => 50 * GB + ago * 10 * GB - (ago > cleaned ? 80 * GB : 0)),
            now,
          ),
        ),
        5,
      );
  });

  it('counts what comes back again and again: a deletion of what is old, each night or every four days', () => {
    const nightly = samples(14, (ago) => 60 * GB - (1 - (ago % 1)) * 10 * GB);
    assert.equal(forecastOf(nightly, now).result, 'lasts');
    const everyFourDays = samples(14, (ago) => 100 * GB - (7 - (ago % 4)) * 10 * GB);
    assert.equal(forecastOf(everyFourDays, now).result, 'lasts');
  });

  it('counts what is written but once a day', () => {
    const nightlyJob = samples(14, (ago) => 50 * GB + Math.floor(ago) * 10 * GB);
    near(days(forecastOf(nightlyJob, now)), 5);
  });

  it('sees a flood that began hours ago, though the two weeks before were quiet', () => {
    const flood = samples(14, (ago) => 100 * GB + Math.min(ago, 0.15) * 240 * GB);
    const forecast = forecastOf(flood, now);
    near(days(forecast), 100 / 240);
    assert.ok(forecast.result === 'fills' && forecast.over <= 4, 'by the last hours');
    const slower = samples(14, (ago) => 100 * GB + Math.min(ago, 1.5) * 50 * GB);
    near(days(forecastOf(slower, now)), 2);
  });

  it('does not take the first minutes of a new installation for its future', () => {
    assert.deepEqual(
      forecastOf(
        samples(0.03, (ago) => 10 * GB + ago * 100 * GB),
        now,
      ),
      { result: 'unknown' },
    );
    assert.deepEqual(forecastOf([], now), { result: 'unknown' });
    const backfill = samples(0.5, (ago) => 100 * GB + ago * 20 * GB);
    assert.equal(forecastOf(backfill, now).result, 'lasts', 'half a day is no basis for five days');
  });

  it('says nothing where nothing grows', () => {
    assert.deepEqual(
      forecastOf(
        samples(14, () => 1),
        now,
      ),
      { result: 'lasts' },
    );
    assert.deepEqual(
      forecastOf(
        samples(14, (ago) => 50 * GB - ago * GB),
        now,
      ),
      { result: 'lasts' },
    );
  });

  it('survives a clock that is set back or forward, and long stops', () => {
    const steady = samples(14, (ago) => 50 * GB + ago * 10 * GB);
    near(days(forecastOf([...steady, { at: now + 400 * day, free: 1 }], now)), 5);
    assert.deepEqual(forecastOf(steady, now - 400 * day), { result: 'unknown' });
    assert.deepEqual(forecastOf(steady, now + 400 * day), { result: 'unknown' });
    const stepped = steady.map(({ at, free }) => ({ at: at < now - 4 * day ? at - day : at, free }));
    near(days(forecastOf(stepped, now)), 5);
    const stopped = steady.filter(({ at }) => at < now - 8 * day || at > now - 4 * day);
    near(days(forecastOf(stopped, now)), 5);
  });

  it('keeps a few hundred samples', () => {
    assert.ok(samples(60, () => 1).length < 450);
  });

  it('says it at 14, 3 and 1 days, once a day, and again after it was over', () => {
    let said: Said = null;
    const told = [20, 13, 15, 13.5, 2.9, 3.1, 2.8, 0.9, 0.5, 30, 13].map((left, i) => {
      const outcome = toSay({ result: 'fills', days: left, perDay: 1, over: 1 }, said, now + i * hour);
      said = outcome.said;
      return outcome.say === 'now' ? left : null;
    });
    assert.deepEqual(
      told.filter((left) => left !== null),
      [13, 2.9, 0.9, 13],
    );
    const first = toSay({ result: 'fills', days: 13, perDay: 1, over: 1 }, null, now);
    const again = toSay({ result: 'fills', days: 12, perDay: 1, over: 1 }, first.said, now + 25 * hour);
    assert.equal(again.say, 'now');
    assert.deepEqual(toSay({ result: 'lasts' }, again.said, now), { say: 'no', said: null });
  });
});
