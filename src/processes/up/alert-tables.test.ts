import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readOptions, type UpOptions } from './options.ts';

const directory = mkdtempSync(join(tmpdir(), 'holdfast-alert-tables-'));
after(() => rmSync(directory, { recursive: true, force: true }));

const read = (toml: string): UpOptions => {
  const config = join(directory, 'holdfast.toml');
  writeFileSync(config, toml);
  return readOptions({ config });
};
const refused = (toml: string, message: RegExp): void =>
  assert.throws(() => read(toml), { code: 'configuration', message }, toml);

const alert = (rest: string): string => `[[alert]]\nname = "a"\n${rest}\n`;
const notify = (rest: string): string => `[[notify]]\nname = "n"\n${rest}\n`;

test('a rule is what its keys say', () => {
  const { alerts } = read(
    [
      alert('count = 5\nwithin = "2m"\nby = ["host", "user"]'),
      alert('new = "pattern"\nlearn = "3d"').replace('"a"', '"b"'),
      alert('silence = "host"').replace('"a"', '"c"'),
    ].join('\n'),
  );
  assert.deepEqual(
    alerts.slice(0, 3).map(({ watch }) => watch),
    [
      { for: 'count', lines: 5, within: 120, by: ['host', 'user'] },
      { for: 'new', field: 'pattern', by: [], learn: 259_200 },
      { for: 'silence', by: ['host'], after: null, learn: 86_400 },
    ],
  );
});

test('fields have the names that they have in a query, and what is none is refused', () => {
  const { alerts } = read(
    [
      alert('count = 5\nwithin = "2m"\nby = ["Program", "user", "app"]'),
      alert('new = "level"\nby = "hostname"').replace('"a"', '"b"'),
      alert('silence = "sender"').replace('"a"', '"c"'),
    ].join('\n'),
  );
  assert.deepEqual(
    alerts.slice(0, 3).map(({ watch }) => ('field' in watch ? [watch.field, ...watch.by] : watch.by)),
    [['app', 'user'], ['severity', 'host'], ['host']],
  );
  refused(alert('new = "since"'), /'since' is no field of a line/);
  refused(alert('silence = ["host", "address"]'), /'address' is no field of a line/);
  refused(alert('count = 5\nwithin = "2m"\nby = "around"'), /'around' is no field of a line/);
});

test('everybody is told of a new door, unless a rule of that name says otherwise', () => {
  const target = notify('command = ["/bin/true"]');
  const ofDoors = ({ alerts }: UpOptions): string[][] =>
    alerts.filter(({ name }) => name === 'new-door').map((rule) => rule.notify);
  assert.deepEqual(ofDoors(read('')), [[]]);
  assert.deepEqual(ofDoors(read(target)), [['n']]);
  const own = alert('query = "kind=door"\ncount = 1\nwithin = "1m"').replace('"a"', '"new-door"');
  assert.deepEqual(ofDoors(read(`${target}${own}`)), [[]]);
});

test('a mistake in a query is shown with a caret', () => {
  refused(
    alert(`query = 'app:sshd "failed'\ncount = 1\nwithin = "1m"`),
    /^alert "a": query: [^\n]*\n {2}app:sshd "failed\n {11}\^\n/,
  );
  refused(
    alert(`query = '''\napp:sshd\nport:22 "failed'''\ncount = 1\nwithin = "1m"`),
    /^alert "a": query: [^\n]*\n {2}port:22 "failed\n {10}\^\n/,
  );
  refused(alert(`query = 'x since:1h'\ncount = 1\nwithin = "1m"`), /have no place here/);
  refused(alert(`query = 'x -received:1h'\ncount = 1\nwithin = "1m"`), /have no place here/);
});

test('what says nothing, too much or too little is refused in words', () => {
  refused(alert(''), /one of count, new and silence/);
  refused(alert('count = 1\nnew = "user"\nwithin = "1m"'), /one of count, new and silence/);
  refused(alert('count = 1'), /within/);
  refused(alert('new = "user"\nwithin = "1m"'), /within says nothing of what is new/);
  refused(alert('silence = "host"\nby = "app"'), /by says nothing of silence/);
  refused(alert('count = 1\nwithin = "soon"'), /no length of time/);
  refused(alert('new = "user"\nnotify = "nobody"'), /no \[\[notify\]\] with name = "nobody"/);
  refused(`${alert('new = "user"')}${alert('new = "host"')}`, /two of that name/);
  refused(alert('new = "user"\ncolour = "red"'), /colour/);
});

test('how to notify is checked before anything is sent', () => {
  refused(notify(''), /one of email, webhook and command/);
  refused(notify('email = "nobody"'), /no address/);
  refused(notify('email = "a@b.c"\nuser = "u"'), /user and password-file go together/);
  refused(notify('email = "a@b.c"\nserver = "smtp://u:p@mail.example"'), /server: /);
  refused(notify('webhook = "http://example.net/hook"'), /in clear/);
  refused(notify('webhook = "https://u:p@example.net/"'), /without user and password/);
  refused(notify('command = ["page"]'), /no absolute path/);
  refused(notify('command = ["/bin/page"]\nuser = "u"'), /user says nothing of command/);
  const tls = (rest: string): unknown => {
    const [target] = read(notify(`email = "a@b.c"\n${rest}`)).notify;
    return target?.how.by === 'email' ? [target.how.tls, target.how.port] : null;
  };
  assert.deepEqual(tls('server = "smtp://mail.example"'), ['starttls', 587]);
  assert.deepEqual(tls('server = "smtps://mail.example"'), ['implicit', 465]);
  assert.deepEqual(tls(''), ['none', 25], 'to this machine');
  assert.deepEqual(
    tls('user = "u"\npassword-file = "/p"'),
    ['starttls', 25],
    'a password goes over TLS alone',
  );
});
