import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CliError, jsonLine } from '#cli';
import { collectServices } from '#inspect';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { doorsOf, insideFromFile, parseInside } from './inside.ts';
import { runThere } from './through.ts';

test('what services list prints is read as the doors of the host', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const { listeners, couldNotLook } = await collectServices();
  const view = parseInside(jsonLine({ listeners, couldNotLook }), 'here');
  const own = view.doors.filter((door) => door.port === port && door.protocol === 'tcp');
  assert.deepEqual(
    own.map(({ address, scope }) => [address, scope]),
    [['127.0.0.1', 'local']],
  );
  assert.ok(doorsOf(view).some((door) => door.protocol === 'tcp' && door.port === port));
  assert.ok(view.doors.every(({ protocol }) => protocol === 'tcp' || protocol === 'udp'));
});

test('a list that could not look everywhere is not whole', () => {
  const gap = { what: 'x', why: 'y', remedy: 'z' };
  assert.equal(parseInside(JSON.stringify({ listeners: [], couldNotLook: [gap] }), 'f').extent, 'partial');
  assert.equal(parseInside(JSON.stringify({ listeners: [], couldNotLook: [] }), 'f').extent, 'whole');
});

for (const wrong of ['', '[]', '{"listeners":[{"protocol":"tcp"}],"couldNotLook":[]}'])
  test(`'${wrong}' is no list`, () => {
    assert.throws(
      () => parseInside(wrong, 'f'),
      (error) => error instanceof CliError && error.code === 'usage',
    );
  });

test('a list that is not there is said to be not there', async () => {
  await assert.rejects(
    insideFromFile('/nonexistent/list.json'),
    (error) => error instanceof CliError && error.code === 'could-not-look',
  );
});

test('a command runs where the operator’s command takes it, whatever its exit status', async () => {
  assert.equal(await runThere('sh -c', 'echo "a  b"; exit 3'), 'a  b\n');
  for (const [through, command] of [
    ['sh -c', 'echo refused >&2; exit 255'],
    ['/nonexistent/ssh web1', 'true'],
  ] as const)
    await assert.rejects(
      runThere(through, command),
      (error) => error instanceof CliError && error.code === 'could-not-look',
    );
});
