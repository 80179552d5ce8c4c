import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { Framing } from '#vault/record';
import { start, until } from '../testing/receiver.ts';

const version = (): string | null => {
  try {
    return execFileSync('logger', ['--version'], { encoding: 'utf8', stdio: 'pipe' });
  } catch {
    return null;
  }
};

const skip = version()?.includes('util-linux') === true ? false : 'no util-linux logger on this machine';

describe('logger(1) of util-linux', { skip }, () => {
  const cases = [
    { name: 'UDP', args: ['--udp'], framing: Framing.datagrams },
    { name: 'TCP, newline framing', args: ['--tcp'], framing: Framing.newline },
    { name: 'TCP, octet counting', args: ['--tcp', '--octet-count'], framing: Framing.octetCounted },
    { name: 'UDP, RFC 3164', args: ['--udp', '--rfc3164'], framing: Framing.datagrams },
  ];
  for (const { name, args, framing } of cases) {
    it(`is understood over ${name}`, async (t) => {
      const receiver = await start(t, ['syslog-tcp', 'syslog-udp']);
      const port = receiver.port(args.includes('--udp') ? 'syslogUdp' : 'syslogTcp');
      const where = ['--server', '127.0.0.1', '--port', String(port), '--tag', 'probe'];
      execFileSync('logger', [...where, ...args, 'a message from logger']);
      await until(() => receiver.lines('syslog').length === 1);
      assert.match(receiver.lines('syslog')[0] ?? '', /^<13>.*probe.*a message from logger$/);
      assert.equal(receiver.stored()[0]?.framing, framing);
    });
  }
});
