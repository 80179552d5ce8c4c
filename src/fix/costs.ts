import { isLoopback, type DoorCosts } from '#advise';
import type { Choice } from './choose.ts';
import type { Client } from './clients.ts';
import type { Plan } from './plan.ts';
import { packageOf, simulateRemoval } from './removal.ts';
import { run } from './run.ts';

/** Asks apt, dpkg and systemd what each step of the ladder would cost here. They change nothing. */
export const costsOf = async ({ door, unit }: Choice, { use, edits, step }: Plan): Promise<DoorCosts> => {
  const meant = await packageOf({ unit });
  const owner = door.processes.find(({ pid }) => pid !== 1) ?? null;
  const name = owner?.package ?? null;
  const [removal, requiredBy, versions, sandbox] = await Promise.all([
    meant === null ? null : removalOf(meant),
    requirersOf(unit),
    name === null ? { version: null, pendingVersion: null } : versionsOf(name),
    sandboxOf(unit),
  ]);
  const local = use.clients.filter((client) => client.local);
  return {
    removal,
    requiredBy,
    localUsers: unique(local.map(nameOf)),
    remoteUsers: unique(use.clients.filter((client) => !client.local).map(({ from }) => from)),
    lanDiallers: unique(
      local.filter(({ to }) => !isLoopback(to)).map((client) => `${nameOf(client)} (dials ${client.to})`),
    ),
    overUdp: use.overUdp,
    watchedSeconds: Math.round(use.milliseconds / 1000),
    localBy: step === 'local only' ? (edits[0]?.path ?? null) : null,
    ...versions,
    user: owner?.user ?? null,
    sandbox,
  };
};

const unique = (all: readonly string[]): string[] => [...new Set(all)];

const nameOf = ({ program, unit }: Client): string => `${program ?? 'a process'} of ${unit ?? 'no unit'}`;

const removalOf = async (name: string): Promise<DoorCosts['removal']> => {
  const gone = await simulateRemoval([name]);
  return 'why' in gone ? null : { package: name, alsoRemoves: gone.filter((one) => one !== name) };
};

const requirersOf = async (unit: string): Promise<string[]> => {
  const { stdout } = await run([
    'systemctl',
    'show',
    '--property=RequiredBy,BoundBy,ConsistsOf',
    '--value',
    '--',
    unit,
  ]);
  return unique(stdout.split(/\s+/).filter((word) => word.endsWith('.service')));
};

const versionsOf = async (name: string): Promise<Pick<DoorCosts, 'version' | 'pendingVersion'>> => {
  const { status, stdout } = await run(['apt-cache', 'policy', '--', name]);
  const version = /^\s*Installed: (\S+)/m.exec(stdout)?.[1] ?? null;
  const candidate = /^\s*Candidate: (\S+)/m.exec(stdout)?.[1] ?? null;
  if (status !== 0 || version === null) return { version: null, pendingVersion: null };
  return { version, pendingVersion: candidate === version || candidate === '(none)' ? null : candidate };
};

/** The last line of `systemd-analyze security UNIT`. */
const sandboxOf = async (unit: string): Promise<string | null> => {
  if (!unit.endsWith('.service')) return null;
  const { stdout } = await run(['systemd-analyze', '--no-pager', 'security', '--', unit], 20_000);
  const [, score, word] = /exposure level for .*: ([\d.]+) ([A-Z]+)/.exec(stdout) ?? [];
  return score === undefined ? null : `${score} ${word ?? ''}`.trim();
};
