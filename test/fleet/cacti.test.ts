import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { noFleet } from './able.ts';
import { act, faultsOf, startCactiHosts, type CactiHosts } from './cacti.ts';
import { story } from './cacti-story.ts';
import { startFleet } from './host.ts';

/** The seed case from end to end: what `npm run demo:cacti` shows, one test for each chapter, in their order. */
const skip = noFleet() ?? false;
const endings: (() => Promise<void>)[] = [];
let hosts: CactiHosts;

before(async () => {
  if (skip !== false) return;
  hosts = await startCactiHosts(await startFleet({ after: (end) => void endings.push(end) }));
});

after(async () => {
  for (const end of endings.toReversed()) await end();
});

for (const chapter of story) {
  test(chapter.title, { skip }, async () => {
    const outcome = await act(hosts, chapter);
    assert.deepEqual(faultsOf(chapter, outcome), [], `${chapter.command}\n${outcome.stdout}`);
  });
}
