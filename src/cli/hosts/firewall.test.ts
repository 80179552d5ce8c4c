import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { stateDirectory } from '#base/state';
import { testIo } from '../test-io.ts';
import { hostsFirewall } from './firewall.ts';
import { nftRuleset } from './ruleset.ts';

const canNft = spawnSync('unshare', ['--net', 'nft', 'list', 'tables']).status === 0;
const skip = canNft ? false : 'it takes root, network namespaces and nft';

const temporary = (t: TestContext): string => {
  const path = mkdtempSync(join(tmpdir(), 'holdfast-firewall-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
};

const full = {
  ports: [
    { protocol: 'tcp', port: 8443 },
    { protocol: 'tcp', port: 6514 },
    { protocol: 'udp', port: 514 },
  ],
  networks: ['192.0.2.0/24', '192.0.2.7', '2001:db8::/32', '10.1.2.3/8'],
  hosts: [
    { name: 'web1.example', address: '198.51.100.7' },
    { name: 'web2.example', address: '2001:db8:1::7' },
  ],
} as const;

describe('the nftables file', () => {
  it('is one that nft takes, twice in a row, whatever is in it', { skip }, (t) => {
    const file = join(temporary(t), 'holdfast.nft');
    for (const admission of [
      full,
      { ...full, networks: [], hosts: [] },
      { ports: [], networks: [], hosts: [] },
    ]) {
      writeFileSync(file, nftRuleset(admission));
      const { status, stderr, stdout } = spawnSync(
        'unshare',
        ['--net', 'sh', '-ec', 'nft -c -f "$1"; nft -f "$1"; nft -f "$1"; nft list ruleset', 'sh', file],
        { encoding: 'utf8' },
      );
      assert.equal(status, 0, stderr);
      // The same once, not added to itself.
      assert.equal(stdout.match(/table inet holdfast/g)?.length, 1);
      assert.equal(stdout.match(/tcp dport/g)?.length ?? 0, admission.ports.length === 0 ? 0 : 3);
    }
  });

  it('is printed alone, with what was asked for', async (t) => {
    const io = testIo();
    const context = { io, state: stateDirectory(temporary(t)), json: false };
    const flags = { port: ['tcp/6514', 'udp/514'], allow: ['192.0.2.0/24'] };
    assert.equal(await hostsFirewall.run(context, [], flags), 0);
    assert.match(io.written.out, /tcp dport \{ 6514 \} ip saddr @allowed4 accept\n/);
    assert.match(io.written.out, /udp dport \{ 514 \} counter drop\n/);
    assert.match(io.written.out, /elements = \{ 192\.0\.2\.0\/24 \}/);
    for (const bad of [
      { port: ['6514'] },
      { port: ['tcp/0'] },
      { port: ['tcp/1'], allow: ['1.2.3.4; drop'] },
    ])
      await assert.rejects(hostsFirewall.run(context, [], bad), { code: 'usage' });
    await assert.rejects(hostsFirewall.run(context, [], {}), { code: 'not-running' });
  });
});
