import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { root } from '../harness/up.ts';
import { noFleet } from './able.ts';
import { startFleet } from './host.ts';
import { runProgram, type Outcome } from './run.ts';

/** A name with several addresses of one host, whose daemon listens on one of them alone. */
const skip = noFleet() ?? false;

test('each address of a name is probed, and one that cannot be keeps none from it', { skip }, async (t) => {
  const fleet = await startFleet(t);
  const host = await fleet.startHost();
  const { address } = host;
  const units = join(host.root, 'etc/systemd/system');
  const socket = `[Socket]\nListenStream=${address}:7700\nAccept=yes\n`;
  writeFileSync(join(units, 'door.socket'), socket);
  writeFileSync(join(units, 'door@.service'), '[Service]\nExecStart=/bin/echo hello\nStandardInput=socket\n');
  await host.ok([
    'sh',
    '-ec',
    'ip address add 198.51.100.2/32 dev host0; systemctl daemon-reload; systemctl start door.socket',
  ]);
  const hosts = join(mkdtempSync(join(tmpdir(), 'holdfast-name-')), 'hosts');
  t.after(() => rmSync(join(hosts, '..'), { recursive: true, force: true }));
  // The third is of a network that no way leads to.
  writeFileSync(hosts, `${address} web\n198.51.100.2 web\n203.0.113.9 web\n`);
  const probe = async (...args: string[]): Promise<Outcome> =>
    runProgram(
      fleet.network
        .enter(['unshare', '-m', 'sh', '-ec', 'mount --bind "$1" /etc/hosts; shift; exec "$@"', 'sh'])
        // From this machine's own files, as a stranger to the host.
        .filter((word) => word !== '--mount' && word !== '--pid')
        .concat(hosts, join(root, 'bin/holdfast'), 'services', 'probe', 'web')
        .concat('--i-operate-this-host', '--state=/nonexistent', '--ports', 'tcp/7700', ...args),
      { milliseconds: 60_000 },
    );
  await runProgram(fleet.network.enter(['ip', 'route', 'add', '198.51.100.2/32', 'via', address]));
  const { status, stdout, stderr } = await probe('--json');
  assert.equal(status, 0, `${stdout}${stderr}`);
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    lines.map((line) => [line.host, line.address, line.otherAddresses, line.doors[0].state]),
    [
      ['web', address, [], 'open'],
      ['web', '198.51.100.2', [], 'refused'],
    ],
  );
  assert.match(lines[0].couldNotLook[0].what, /203\.0\.113\.9/);
  const shown = await probe();
  assert.match(shown.stdout, new RegExp(`^web \\(${address}\\)\n(?:.*\n)*tcp/7700 +open`, 'm'));
  assert.match(shown.stdout, /^web \(198\.51\.100\.2\)\nNothing is open\./m);
  assert.match(shown.stdout, /COULD NOT LOOK/);
});
