import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { test } from 'node:test';
import { systemClock } from '#base/clock';
import { runCommand } from './command.ts';
import { collectPatches, type PatchesReport } from './index.ts';

const written = ['/var/cache/apt', '/var/log/apt', '/var/lib/apt'];
const writesNothing = [
  'Dir::Log::Planner=/dev/null',
  'Dir::Cache::pkgcache=',
  'Dir::Cache::srcpkgcache=',
].flatMap((setting) => ['-o', setting]);
const times = (): string =>
  JSON.stringify(
    written.flatMap((directory) =>
      statSync(directory, { throwIfNoEntry: false }) === undefined
        ? []
        : readdirSync(directory).map((name) => [
            `${directory}/${name}`,
            statSync(`${directory}/${name}`).mtimeMs,
          ]),
    ),
  );

test('this host: what apt itself says is pending, nothing written, in time', async (t) => {
  const before = times();
  const [apt, report] = await Promise.all([
    runCommand('apt-get', ['-s', ...writesNothing, 'upgrade'], { timeout: 60_000 }),
    collectPatches({ clock: systemClock(), cacheDir: null }),
  ]);
  if (!apt.ran) return t.skip('apt is not installed');
  assert.equal(times(), before, 'apt wrote something');
  const beyond = ({ milliseconds, simulation }: PatchesReport): number =>
    milliseconds - (simulation?.milliseconds ?? 0);
  let own = beyond(report);
  // Others may have the machine for a moment.
  for (let more = 0; own >= 5_000 && more < 2; more += 1)
    own = beyond(await collectPatches({ clock: systemClock(), cacheDir: null }));
  assert.ok(own < 5_000, `${own} ms beyond apt's own time`);
  if (report.upgrades.result === 'could-not-look') return t.skip(JSON.stringify(report.couldNotLook));
  const value = report.upgrades.result === 'found' ? report.upgrades.value : [];
  const expected = [...apt.stdout.matchAll(/^Inst (\S+) \[/gm)].map((match) => match[1]).toSorted();
  const taken = value.filter(({ keptBack }) => keptBack === null).map((upgrade) => upgrade.package);
  assert.deepEqual(taken.toSorted(), expected);
  const security = [...apt.stdout.matchAll(/^Inst (\S+) \[.*Debian-Security:/gm)].map(
    (match) => match[1] ?? '',
  );
  for (const name of security)
    assert.equal(value.find((upgrade) => upgrade.package === name)?.security, true, name);
  assert.notEqual(report.kernel.running.release, '');
});
