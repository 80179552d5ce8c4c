import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nameOfDoor, parseDoors } from './door.ts';
import { ProbeError } from './errors.ts';

test('ports are read with their protocol, as ranges, each once', () => {
  assert.deepEqual(parseDoors('udp/53, 22,tcp/80-82,tcp/81').map(nameOfDoor), [
    'tcp/22',
    'tcp/80',
    'tcp/81',
    'tcp/82',
    'udp/53',
  ]);
});

for (const wrong of ['', 'tcp/0', 'tcp/70000', 'sctp/5', 'tcp/9-8', 'tcp/1-65535', 'ssh'])
  test(`'${wrong}' names no ports that are probed`, () => {
    assert.throws(
      () => parseDoors(wrong),
      (error) => error instanceof ProbeError && error.code === 'bad-ports',
    );
  });
