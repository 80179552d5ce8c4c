import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';

/** In a network namespace of its own, where lo is the way in. */
const inNamespace = ['--net', 'sh', '-c', 'ip link set lo up; exec "$@"', 'sh', process.execPath];
const possible = spawnSync('unshare', ['--net', 'nft', 'list', 'ruleset']).status === 0;
const skip = possible ? false : 'a network namespace with nft takes root and nftables';

const module = (path: string): string => JSON.stringify(join(import.meta.dirname, path));

const run = (body: string): ReturnType<typeof spawn> =>
  spawn(
    'unshare',
    [
      ...inNamespace,
      '--disable-warning=ExperimentalWarning',
      '--input-type=module',
      '--eval',
      `import { execFileSync } from 'node:child_process';
      import { createSocket } from 'node:dgram';
      import { countArrivals } from ${module('count.ts')};
      import { sendTokens } from ${module('../host/token.ts')};
      const nft = (...args) => execFileSync('nft', args, { encoding: 'utf8' });
      const send = (port, token, times = 3) => sendTokens('127.0.0.1', [port], { token, times }, async () => {});
      const say = (value) => console.log(JSON.stringify(value));
      ${body}`,
    ],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );

const said = async (body: string): Promise<unknown[]> => {
  const child = run(body);
  const lines: unknown[] = [];
  if (child.stdout === null) throw new Error('no output');
  for await (const line of createInterface({ input: child.stdout })) lines.push(JSON.parse(line));
  return lines;
};

test(
  'datagrams with the token are counted by port, others are not, and the table is gone',
  { skip },
  async () => {
    const [counted, left] = await said(`
    const counting = await countArrivals('abcdefghijkl', [514, 69]);
    await send(514, 'abcdefghijkl');
    await send(514, 'lkjihgfedcba');
    say(await counting.read());
    await counting.stop();
    say(nft('list', 'ruleset'));
  `);
    assert.deepEqual(counted, [
      { port: 514, reached: 3, passed: 3, forwarded: 0 },
      { port: 69, reached: 0, passed: 0, forwarded: 0 },
    ]);
    assert.equal(left, '');
  },
);

test('what a filter drops has reached the host, and has not passed', { skip }, async () => {
  const [counted] = await said(`
    nft('add table inet filter');
    nft('add chain inet filter input { type filter hook input priority 0; }');
    nft('add rule inet filter input udp dport 514 drop');
    const counting = await countArrivals('abcdefghijkl', [514]);
    await send(514, 'abcdefghijkl');
    say(await counting.read());
    await counting.stop();
  `);
  assert.deepEqual(counted, [{ port: 514, reached: 3, passed: 0, forwarded: 0 }]);
});

test('nothing is left where the process that counts is killed', { skip }, async (t) => {
  const child = run(`
    await countArrivals('abcdefghijkl', [514]);
    say(nft('list', 'tables'));
    process.stdin.resume();
  `);
  t.after(() => void child.kill('SIGKILL'));
  if (child.stdout === null) throw new Error('no output');
  const [first] = await once(createInterface({ input: child.stdout }), 'line');
  assert.match(String(first), /holdfast_probe_/);
  const tables = (): string =>
    spawnSync('nsenter', [`--net=/proc/${holder.pid}/ns/net`, 'nft', 'list', 'tables'], { encoding: 'utf8' })
      .stdout;
  // It holds the namespace, which would end with the process otherwise.
  const holder = spawn('nsenter', [`--net=/proc/${child.pid}/ns/net`, 'sleep', '60']);
  t.after(() => void holder.kill('SIGKILL'));
  while (!/^holdfast_probe_|holdfast_probe_/.test(tables()))
    await new Promise((resolve) => setTimeout(resolve, 20));
  child.kill('SIGKILL');
  await once(child, 'exit');
  while (tables() !== '') await new Promise((resolve) => setTimeout(resolve, 20));
});

test('where nft may not be used it says so', { skip }, async () => {
  const [code] = await said(`
    process.setuid(65534);
    await countArrivals('abcdefghijkl', [514]).catch((error) => say(error.code));
  `);
  assert.equal(code, 'not-allowed');
});
