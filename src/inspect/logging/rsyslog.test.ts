import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRsyslog } from './rsyslog.ts';
import { parseSyslogNg, usedDestinations } from './syslog-ng.ts';

const brief = (config: ReturnType<typeof parseRsyslog>): unknown[] =>
  config.destinations.map(({ protocol, target, tls, selector, leavesHost }) => [
    protocol,
    target,
    tls,
    selector,
    leavesHost,
  ]);

test('rsyslog: lines of the old format', () => {
  const config = parseRsyslog(
    `# *.* @@commented.out
$FileOwner root
*.*;auth,authpriv.none		-/var/log/syslog
auth,authpriv.*			/var/log/auth.log # why
*.emerg				:omusrmsg:*
*.* @logs.example.org
kern.*	@@(o)[2001:db8::1]:10514;RSYSLOG_ForwardFormat
*.* @@127.0.0.1:5514
*.* :omrelp:relp.example.org:2514
$InputFileName /srv/app/app.log
`,
    'f',
  );
  assert.deepEqual(brief(config), [
    ['udp', 'logs.example.org:514', false, '*.*', true],
    ['tcp', '[2001:db8::1]:10514', false, 'kern.*', true],
    ['tcp', '127.0.0.1:5514', false, '*.*', false],
    ['relp', 'relp.example.org:2514', false, '*.*', true],
  ]);
  assert.deepEqual(config.writes, ['/var/log/syslog', '/var/log/auth.log']);
  assert.deepEqual(config.reads, ['/srv/app/app.log']);
});

test('rsyslog: RainerScript over several lines, with TLS, several targets and an octet-counting option in a string', () => {
  const config = parseRsyslog(
    `module(load="imfile")
input(type="imfile" File="/var/log/app/*.log" Tag="app")
*.* action(type="omfwd" Target="a.example.org" Port="6514" Protocol="tcp"
           StreamDriver="gtls" StreamDriverMode="1" template="(odd)")
if $programname == 'x' then {
  action(type="omfwd" target=["b.example.org", "localhost"] protocol="udp")
  action(type="omfile" file="/var/log/x.log")
}
action(type="omrelp" target="c.example.org" port="2514" tls="on")
# action(type="omfwd" target="commented.example.org")
`,
    'f',
  );
  assert.deepEqual(brief(config), [
    ['tcp', 'a.example.org:6514', true, '*.*', true],
    ['udp', 'b.example.org:514', false, null, true],
    ['udp', 'localhost:514', false, null, false],
    ['relp', 'c.example.org:2514', true, null, true],
  ]);
  assert.deepEqual(config.reads, ['/var/log/app/*.log']);
  assert.deepEqual(config.writes, ['/var/log/x.log']);
});

test('syslog-ng: drivers of the destinations that a log path uses, and files that sources read', () => {
  const text = `@version: 3.38
source s_src { system(); internal(); file("/srv/one.log"); wildcard-file(base-dir("/srv/app") filename-pattern("*.log") recursive(yes)); };
destination d_net { network("logs.example.org" port(6514) transport("tls") tls(ca-dir("/etc/ca"))); };
destination d_udp { udp("127.0.0.1"); };
destination d_unused { tcp("unused.example.org"); };
destination d_file { file("/var/log/all.log"); };
# destination d_net { network("commented.example.org"); };
log { source(s_src); destination(d_net); destination(d_udp); destination(d_file); };
log { source(s_src); destination { http(url("https://loki.example.org/push")); }; };
`;
  const config = parseSyslogNg(text, 'f', new Set(usedDestinations(text)));
  assert.deepEqual(brief(config), [
    ['tls', 'logs.example.org:6514', true, null, true],
    ['udp', '127.0.0.1:514', false, null, false],
    ['http', 'https://loki.example.org/push', true, null, true],
  ]);
  assert.deepEqual(config.writes, ['/var/log/all.log']);
  assert.deepEqual(config.reads, ['/srv/one.log', '/srv/app/**/*.log']);
});
