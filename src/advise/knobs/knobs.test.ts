import assert from 'node:assert/strict';
import { test } from 'node:test';
import { knownServices } from '../known-services.ts';
import { cannotTurn, knobOf, knobs, type KnobFacts, type Turn } from './index.ts';
import { listensIn, localListens } from './socket-unit.ts';

const turn = (
  service: string,
  files: Record<string, string>,
  port: number,
  more: Partial<KnobFacts> = {},
): Turn => {
  const knob = knobOf(service) ?? assert.fail(service);
  const turned = knob.turn({
    doors: [{ protocol: 'tcp', address: '::', port }],
    unit: `${service.toLowerCase()}.service`,
    exe: null,
    files: new Map(Object.entries(files)),
    answers: [],
    ...more,
  });
  if (cannotTurn(turned)) assert.fail(turned.why);
  return turned;
};
const textOf = ({ edits }: Turn, path: string): string =>
  edits.find((edit) => edit.path === path)?.text ?? assert.fail(`${path} is not edited`);

test('every knob is of a service that the table knows', () => {
  for (const { service } of knobs)
    assert.ok(
      knownServices.some(({ name }) => name === service),
      service,
    );
});

test('what ALTER SYSTEM set is taken back, because it is read last', () => {
  const auto = '/var/lib/postgresql/15/main/postgresql.auto.conf';
  const files = {
    '/etc/postgresql/15/main/postgresql.conf': "include_dir = 'conf.d'\n",
    [auto]: "listen_addresses = '*'\nwork_mem = '8MB'\n",
  };
  const turned = turn('PostgreSQL', files, 5432, { unit: 'postgresql@15-main.service' });
  assert.equal(textOf(turned, auto), "#listen_addresses = '*'\nwork_mem = '8MB'\n");
  assert.match(textOf(turned, '/etc/postgresql/15/main/conf.d/zz-holdfast-local.conf'), /'localhost'/);
});

test('nginx: each listen of the door, in its family, and no other port', () => {
  const path = '/etc/nginx/sites-available/default';
  const before =
    'server {\n  listen 80 default_server;\n  listen [::]:80;\n  listen 8080;\n  # listen 80;\n  listen 127.0.0.1:80;\n}\n';
  assert.equal(
    textOf(turn('nginx', { [path]: before }, 80), path),
    'server {\n  listen 127.0.0.1:80 default_server;\n  listen [::1]:80;\n  listen 8080;\n  # listen 80;\n  listen 127.0.0.1:80;\n}\n',
  );
});

test('Tomcat: connectors in comments stay as they are', () => {
  const path = '/etc/tomcat10/server.xml';
  const before =
    '<Server port="-1">\n<!-- <Connector port="8080"/> -->\n<Connector port="8080" protocol="HTTP/1.1"/>\n';
  const after = textOf(turn('Tomcat', { [path]: before }, 8080, { unit: 'tomcat10.service' }), path);
  assert.match(after, /<!-- <Connector port="8080"\/> -->/);
  assert.match(after, /\n<Connector address="127\.0\.0\.1" port="8080"/);
});

test('BIND: both statements are replaced where they are, and added where they are not', () => {
  const path = '/etc/bind/named.conf.options';
  const after = textOf(turn('BIND', { [path]: 'options {\n\tlisten-on-v6 { any; };\n};\n' }, 53), path);
  assert.match(after, /options \{\n\tlisten-on \{ 127\.0\.0\.1; \};/);
  assert.match(after, /listen-on-v6 \{ ::1; \};/);
});

test('rsyslog: the directives from before there was input() get an address too', () => {
  const path = '/etc/rsyslog.d/net.conf';
  const before = 'input(type="imudp" port="514" address="0.0.0.0")\n$InputTCPServerRun 514\n';
  assert.equal(
    textOf(turn('rsyslog', { [path]: before }, 514), path),
    'input(type="imudp" address="127.0.0.1" port="514")\ninput(type="imtcp" address="127.0.0.1" port="514")\n',
  );
});

test('syslog-ng: drivers of sources alone, whatever their addresses were', () => {
  const path = '/etc/syslog-ng/conf.d/net.conf';
  const before =
    'source s { network(transport("tcp") port(514)); udp(ip(0.0.0.0)); };\ndestination d { network("log" port(514)); };\n';
  assert.equal(
    textOf(turn('syslog-ng', { [path]: before }, 514), path),
    'source s { network(ip("127.0.0.1") transport("tcp") port(514)); udp(ip("127.0.0.1") ); };\ndestination d { network("log" port(514)); };\n',
  );
});

test('RabbitMQ is not turned where its own tools would be refused', () => {
  const knob = knobOf('RabbitMQ') ?? assert.fail();
  const facts = { doors: [], unit: 'rabbitmq-server.service', exe: null, files: new Map() };
  assert.ok(cannotTurn(knob.turn({ ...facts, answers: ['10.0.0.5 STREAM db\n'] })));
  assert.ok(!cannotTurn(knob.turn({ ...facts, answers: ['127.0.1.1 STREAM db\n'] })));
});

test('a socket unit keeps its paths; ports become those of this host; an empty line forgets', () => {
  const printed =
    '[Socket]\nListenStream=22\nListenStream=\nListenStream=@mariadb\nListenStream=/run/x.sock\nListenStream=3306\nListenDatagram=0.0.0.0:111\n[Install]\n';
  assert.deepEqual(localListens(listensIn(printed)), [
    'ListenStream=@mariadb',
    'ListenStream=/run/x.sock',
    'ListenStream=127.0.0.1:3306',
    'ListenStream=[::1]:3306',
    'ListenDatagram=127.0.0.1:111',
  ]);
});
