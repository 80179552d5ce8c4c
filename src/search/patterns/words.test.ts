import assert from 'node:assert/strict';
import { test } from 'node:test';
import { foldWords } from './words.ts';

const fold = (templates: readonly string[], app = 'a'): string[] =>
  foldWords(templates.map((template) => ({ app, template })))
    .map(({ template }) => template)
    .toSorted();

const users = [
  'root',
  'alice',
  'bob',
  'carol',
  'dave',
  'erin',
  'frank',
  'grace',
  'heidi',
  'ivan',
  'judy',
  'mallory',
];

test('words that differ in one place are values, words that are kinds are not', () => {
  const lines = users.flatMap((user) => [
    `session opened for user ${user}(uid=<*>)`,
    `session closed for user ${user}(uid=<*>)`,
    `Failed password for ${user} from <*>`,
    `Accepted password for ${user} from <*>`,
  ]);
  assert.deepEqual(fold(lines), [
    'Accepted password for <*> from <*>',
    'Failed password for <*> from <*>',
    'session closed for user <*>(uid=<*>)',
    'session opened for user <*>(uid=<*>)',
  ]);
});

test('values in several places are found, whichever has more of them', () => {
  const hosts = Array.from(
    { length: 40 },
    (_, at) => `host-${'abcdefgh'[at % 8]}${'klmno'[Math.floor(at / 8)]}`,
  );
  assert.deepEqual(
    fold(hosts.flatMap((host) => users.map((user) => `login of ${user} at ${host} refused`))),
    ['login of <*> at <*> refused'],
  );
});

test('states stay apart where packages do not', () => {
  const packages = Array.from(
    { length: 60 },
    (_, at) => `lib${'abcdefghij'[at % 10]}${'uvwxyz'[Math.floor(at / 10)]}:all`,
  );
  const states = [
    'unpacked',
    'installed',
    'half-configured',
    'half-installed',
    'triggers-pending',
    'config-files',
    'not-installed',
  ];
  assert.deepEqual(
    fold(states.flatMap((state) => packages.map((name) => `status ${state} ${name} <*>`))),
    states.map((state) => `status ${state} <*> <*>`).toSorted(),
  );
});

test('few, unlike, or of other programs: nothing is folded', () => {
  const few = users.slice(0, 4).map((user) => `hello ${user}, how are you`);
  assert.deepEqual(fold(few), few.toSorted());
  const unlike = [
    'disk is full',
    'link went down',
    'cable was unplugged',
    'nobody answers here',
    'all quiet now',
  ];
  assert.deepEqual(fold(unlike), unlike.toSorted());
  const other = users.map((user, at) => ({ app: `app${at}`, template: `logged in as ${user}` }));
  assert.equal(foldWords(other).length, users.length);
});

test('every template is in one fold, and a large number is quick', () => {
  const many = Array.from(
    { length: 20_000 },
    (_, at) => `${at % 2 === 0 ? 'get' : 'put'} object ${at.toString(36)} of ${users[at % 12]} done`,
  );
  const started = process.cpuUsage();
  const folded = foldWords(many.map((template) => ({ app: 'a', template })));
  assert.ok(process.cpuUsage(started).user < 10_000_000);
  assert.equal(new Set(folded.flatMap(({ of }) => of)).size, many.length);
  assert.ok(folded.length <= 24, `${folded.length}`);
});
