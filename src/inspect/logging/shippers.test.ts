import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseChrony, parseTimex } from './clock-state.ts';
import { parseLogrotate } from './rotation.ts';
import { addressesIn, pathsIn, takesIn } from './shippers.ts';

test('paths and addresses in the configurations of common shippers', () => {
  const promtail = `clients:
  - url: http://loki.example.org:3100/loki/api/v1/push
scrape_configs:
  - static_configs:
      - labels: { __path__: /var/log/*.log }
`;
  assert.deepEqual(
    addressesIn(promtail, 'f').map(({ target, leavesHost }) => [target, leavesHost]),
    [['loki.example.org:3100', true]],
  );
  assert.ok(pathsIn(promtail).includes('/var/log/*.log'));

  const filebeat =
    'filebeat.inputs:\n- type: filestream\n  paths:\n    - /srv/app/**/*.log\noutput.logstash:\n  hosts: ["logs.example.org:5044"]\n# hosts: ["no.example.org:1"]\n';
  assert.deepEqual(
    addressesIn(filebeat, 'f').map(({ target }) => target),
    ['logs.example.org:5044'],
  );
  assert.deepEqual(pathsIn(filebeat), ['/srv/app/**/*.log']);

  const fluentBit =
    '[INPUT]\n    Name tail\n    Path /var/log/nginx/*.log\n[OUTPUT]\n    Name forward\n    Host 127.0.0.1\n';
  assert.deepEqual(
    addressesIn(fluentBit, 'f').map(({ leavesHost }) => leavesHost),
    [false],
  );

  const vector =
    '[sources.in]\ninclude = ["/var/log/**/*.log"]\n[sinks.out]\nendpoint = "https://es.example.org:9200"\n';
  assert.ok(pathsIn(vector).includes('/var/log/**/*.log'));
  assert.equal(addressesIn(vector, 'f')[0]?.tls, true);
});

test('patterns take in what their shell meaning says', () => {
  assert.ok(takesIn('/var/log/*.log', '/var/log/a.log'));
  assert.equal(takesIn('/var/log/*.log', '/var/log/app/a.log'), false);
  assert.ok(takesIn('/var/log/**/*.log', '/var/log/app/a.log'));
  assert.ok(takesIn('/var/log/syslog', '/var/log/syslog'));
  assert.equal(takesIn('/var/log', '/var/log/syslog'), false);
});

test('logrotate: paths before the braces, quoted, several, over several lines', () => {
  assert.deepEqual(
    parseLogrotate(`# /var/log/no.log {
weekly
include /etc/logrotate.d
/var/log/dpkg.log {
  monthly
  postrotate
    /usr/bin/true
  endscript
}
/var/log/a.log
"/var/log/with space/*.log" /var/log/b.log
{
  rotate 4
}
`).filter((path) => path.startsWith('/var/')),
    ['/var/log/dpkg.log', '/var/log/a.log', '/var/log/with space/*.log', '/var/log/b.log'],
  );
});

const tracking = (leap: string): string =>
  `Reference ID    : C0000201 (192.0.2.1)\nSystem time     : 0.000012 seconds fast of NTP time\nLeap status     : ${leap}\n`;

test('answers about the clock', () => {
  assert.equal(parseTimex('5 16000000 64')?.synchronised, false);
  assert.equal(parseTimex('0 11500 8193')?.synchronised, true);
  assert.equal(parseTimex('nonsense'), null);
  assert.equal(parseChrony(tracking('Normal'))?.synchronised, true);
  assert.equal(parseChrony(tracking('Not synchronised'))?.synchronised, false);
  assert.equal(parseChrony('506 Cannot talk to daemon'), null);
});
