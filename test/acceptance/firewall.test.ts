import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { run } from '../harness/up.ts';

const skip =
  spawnSync('unshare', ['--net', 'nft', 'list', 'tables']).status === 0
    ? false
    : 'it takes root, network namespaces and nft';

const shell = (script: string): string => {
  const { status, stdout, stderr } = spawnSync('sh', ['-ec', script], { encoding: 'utf8' });
  assert.equal(status, 0, `${script}\n${stderr}`);
  return stdout;
};

/** Two network namespaces with a cable between them: 192.0.2.1 here, 192.0.2.7 and 198.51.100.66 there. */
const twoHosts = (t: TestContext): { server: string; client: string } => {
  const [server, client] = [`hf-s-${process.pid}`, `hf-c-${process.pid}`];
  t.after(() => spawnSync('sh', ['-c', `ip netns del ${server}; ip netns del ${client}`]));
  shell(`
    ip netns add ${server}; ip netns add ${client}
    ip -n ${server} link add name cable type veth peer name cable netns ${client}
    ip -n ${server} addr add 192.0.2.1/24 dev cable; ip -n ${server} addr add 198.51.100.1/24 dev cable
    ip -n ${client} addr add 192.0.2.7/24 dev cable; ip -n ${client} addr add 198.51.100.66/24 dev cable
    for host in ${server} ${client}; do ip -n $host link set lo up; ip -n $host link set cable up; done`);
  return { server, client };
};

const listen = `
  const net = require('net'), dgram = require('dgram');
  for (const port of [6514, 7000]) net.createServer((socket) => socket.end('heard')).listen(port, '0.0.0.0');
  const udp = dgram.createSocket('udp4');
  udp.on('message', (bytes, from) => udp.send('heard', from.port, from.address));
  udp.bind(514, '0.0.0.0', () => console.log('listening'));`;

const ask = `
  const [protocol, to, port, from, longest] = process.argv.slice(1);
  const end = (said) => { console.log(String(said)); process.exit(0); };
  setTimeout(() => end('silence'), Number(longest));
  if (protocol === 'tcp') require('net').connect({ host: to, port: Number(port), localAddress: from }).on('data', end).on('error', () => end('refused'));
  else {
    const socket = require('dgram').createSocket('udp4');
    socket.bind(0, from, () => socket.send('hello', Number(port), to));
    socket.on('message', end);
  }`;

test('who is not allowed does not reach the listeners, and nothing else is touched', { skip }, async (t) => {
  const { server, client } = twoHosts(t);
  const listener = spawn('ip', ['netns', 'exec', server, process.execPath, '-e', listen], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => listener.kill('SIGKILL'));
  await once(listener.stdout, 'data');
  const answer = (protocol: string, to: string, port: number, from: string, longest = 60_000): string => {
    const asked = [protocol, to, String(port), from, String(longest)];
    const command = ['netns', 'exec', client, process.execPath, '-e', ask, ...asked];
    const { stdout, stderr } = spawnSync('ip', command, { encoding: 'utf8' });
    assert.equal(stderr, '');
    return stdout.trim();
  };

  const good = ['192.0.2.1', '192.0.2.7'] as const;
  const bad = ['198.51.100.1', '198.51.100.66'] as const;
  for (const [to, from] of [good, bad]) {
    assert.equal(answer('tcp', to, 6514, from), 'heard', 'before');
    assert.equal(answer('udp', to, 514, from), 'heard', 'before');
  }

  const directory = mkdtempSync(join(tmpdir(), 'holdfast-firewall-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const printed = run(
    'hosts',
    'firewall',
    '--state',
    directory,
    '--port',
    'tcp/6514',
    '--port',
    'udp/514',
    '--allow',
    '192.0.2.0/24',
  );
  assert.equal(printed.status, 0, printed.stderr);
  const file = join(directory, 'holdfast.nft');
  writeFileSync(file, printed.stdout);
  shell(`ip netns exec ${server} nft -f ${file}`);

  assert.equal(answer('tcp', good[0], 6514, good[1]), 'heard');
  assert.equal(answer('udp', good[0], 514, good[1]), 'heard');
  assert.equal(answer('tcp', bad[0], 6514, bad[1], 1500), 'silence');
  assert.equal(answer('udp', bad[0], 514, bad[1], 1500), 'silence');
  assert.equal(answer('tcp', bad[0], 7000, bad[1]), 'heard', 'a port that is none of ours');
  assert.match(
    shell(`ip netns exec ${server} nft list chain inet holdfast input`),
    /tcp dport 6514 counter packets [1-9]/,
  );
});
