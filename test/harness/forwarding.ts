import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import type { StateDirectory } from '#base/state';
import type { Hit } from '#wire/search';
import { search, until } from './up.ts';

const lines = 20;

/**
 * Hands a local syslog daemon some lines under a program's name, which say what way they are to be forwarded, and waits
 * until Holdfast finds them: each once, under that name.
 * @param socket the daemon's unix datagram socket
 */
export const forwardedOnce = async (
  state: StateDirectory,
  socket: string,
  program: string,
): Promise<readonly Hit[]> => {
  for (let i = 0; i < lines; i += 1) {
    const text = `${program}token number ${i}`;
    const { status } = spawnSync('logger', ['--socket', socket, '--tag', program, '--id=4711', text]);
    assert.equal(status, 0);
  }
  await until('all lines are found', () => search(state, `${program}token`).hits.length >= lines);
  const { hits } = search(state, `${program}token`);
  assert.equal(hits.length, lines);
  assert.deepEqual(new Set(hits.map(({ app }) => app)), new Set([program]));
  assert.equal(new Set(hits.map(({ message }) => message)).size, lines);
  return hits;
};
