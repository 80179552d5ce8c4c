import { readFileSync } from 'node:fs';
import type { StateDirectory } from '#base/state';
import type { HoldfastShipping } from '#inspect';
import { ready, type Ready } from '#wire/ready';

/** What a Holdfast that runs on this state directory takes in of this host's own logs; `null` where none runs. */
export const holdfastShipping = (state: StateDirectory): HoldfastShipping | null => {
  let running: Ready;
  try {
    running = ready.parse(JSON.parse(readFileSync(state.readyFile, 'utf8')));
  } catch {
    return null;
  }
  const { agent } = running.processes;
  if (agent === undefined) return null;
  return {
    journal: true,
    kernel: true,
    files: ['/var/log'],
    destination: null,
    ownDirectories: [state.root],
    pids: [running.supervisorPid, ...Object.values(running.processes).map(({ pid }) => pid)],
    reader: { uid: agent.uid, groups: agent.groups },
  };
};
