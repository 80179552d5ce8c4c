import assert from 'node:assert/strict';
import { lookup } from 'node:dns/promises';
import { hostname } from 'node:os';
import { after, before, test } from 'node:test';
import { z } from 'zod';
import { removeState, run, search, startUp, temporaryState, until, type RunningUp } from '../harness/up.ts';

/** `services probe` where the log is: it settles what is silent, and knows what the host's agent said. */
const state = temporaryState();
let up: RunningUp;

before(async () => {
  up = await startUp(state, []);
});

after(async () => {
  await up.interrupt();
  removeState(state);
});

const printed = z.looseObject({
  inside: z.looseObject({ from: z.string() }).nullable(),
  doors: z.array(
    z.looseObject({
      state: z.string(),
      why: z.string(),
      verdict: z.string().nullable(),
      explanation: z.string().nullable(),
    }),
  ),
});

const probe = (host: string, ports: string): z.infer<typeof printed> => {
  const { status, stdout, stderr } = run(
    'services',
    'probe',
    host,
    '--i-operate-this-host',
    '--json',
    '--udp-rate',
    '20',
    '--ports',
    ports,
    '--state',
    state.root,
  );
  assert.ok(status === 0 || status === 1, stderr);
  return printed.parse(JSON.parse(stdout));
};

test('a syslog port that answers nothing is shown open by the line that came to the log', () => {
  const [door] = probe('127.0.0.1', `udp/${up.syslogUdp()}`).doors;
  assert.equal(door?.state, 'open');
  const [, address = ''] = /^what was sent is in the log, at (\S+)$/.exec(door.why) ?? [];
  assert.ok(
    search(state, 'holdfast-probe', 10).hits.some((hit) => hit.address === address),
    door.why,
  );
});

test('what the host’s agent said last is its inside', async (t) => {
  const name = hostname();
  if ((await lookup(name).catch(() => null)) === null) return t.skip(`${name} has no address here`);
  const port = up.syslogTcp();
  await until(
    'the facts are indexed',
    () => search(state, `app:holdfast via:fact listener ${port}`, 1).hits.length > 0,
  );
  const { inside, doors } = probe(name, `tcp/${port}`);
  assert.match(inside?.from ?? '', /^its agent, at 20/);
  // It listens on loopback; whether the name is of a loopback address is this machine's own business.
  assert.match(doors[0]?.explanation ?? '', /listens on 127\.0\.0\.1/);
});

const linesOf = (query: string): Readonly<Record<string, unknown>>[] =>
  search(state, `app:holdfast ${query}`, 10).hits.map(({ fields }) => fields);

test('who probed what, and what came of it, are lines of the log', async () => {
  const target = '127.0.0.3';
  probe(target, `tcp/${up.syslogTcp()}`);
  const query = `kind=probe target=${target}`;
  await until('both lines are indexed', () => linesOf(query).length === 2);
  const [begun, done] = ['begun', 'done'].map((outcome) =>
    linesOf(query).find((line) => line['outcome'] === outcome),
  );
  assert.deepEqual(
    [begun?.['permission'], begun?.['ports'], begun?.['uid']],
    ['operator', `tcp/${up.syslogTcp()}`, String(process.getuid?.())],
  );
  assert.equal(done?.['count.refused'], '1');
  assert.equal(done?.['probe'], begun?.['probe']);

  assert.equal(run('services', 'probe', 'other.example', '--state', state.root).status, 3);
  await until('the refusal is indexed', () => linesOf('kind=probe outcome=refused').length === 1);
  assert.equal(linesOf('kind=probe outcome=refused')[0]?.['target'], 'other.example');
});
