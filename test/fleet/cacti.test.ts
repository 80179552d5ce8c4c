import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { until } from '../harness/up.ts';
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

test(
  'each step is a line of the log: every plan, and all that stands in the journal of a fix',
  { skip },
  async () => {
    const log = async (query: string): Promise<Record<string, string>[]> => {
      const command = ['holdfast', 'logs', 'search', '--json', '--limit', '500', `app:holdfast ${query}`];
      const lines = (await hosts.cacti.ok(command)).trimEnd().split('\n').slice(0, -1);
      return lines.map((line) => JSON.parse(line).fields);
    };
    const journals = await hosts.cacti.ok(['sh', '-c', 'cat /var/lib/holdfast/fixes/*/journal.jsonl']);
    const steps = journals
      .trimEnd()
      .split('\n')
      .map((line): { time: string; step: string } => JSON.parse(line));
    let lines: Record<string, string>[] = [];
    let missing: string[] = [];
    // Each is durable with the receiver when the command ends; to be found it must be committed and indexed too.
    await until(
      'every step is found',
      async () => {
        lines = await log('kind=fix');
        const said = new Set(lines.map(({ time, step }) => `${time} ${step}`));
        missing = steps.map(({ time, step }) => `${time} ${step}`).filter((one) => !said.has(one));
        return missing.length === 0;
      },
      60_000,
    ).catch(() => undefined);
    assert.deepEqual(missing, [], 'steps of the journals that no line of the log has');
    // What was refused changed nothing, and has no journal.
    assert.equal(lines.filter(({ step }) => step === 'refused').length, 1);
    assert.match((await log('kind=plan outcome=made'))[0]?.['risks'] ?? '', /lan-address-clients/);
  },
);
