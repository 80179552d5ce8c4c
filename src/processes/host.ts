import { readFileSync, rmSync } from 'node:fs';
import { z } from 'zod';
import { runChild } from '#base/child';
import { systemClock } from '#base/clock';
import { stateDirectory } from '#base/state';
import { allowed, type Allowed } from '#wire/listen';
import type { Ready } from '#wire/ready';
import { keepDiskForecast } from './up/disk-watch.ts';
import { keepDoorsWatched } from './door-watch.ts';
import { keepAuditFresh } from './up/host-watch.ts';
import { holdState } from './up/only-one.ts';
import { replaceFile } from './up/run-file.ts';
import { servingBy, type Serving } from './units/serving.ts';
import { userOfThisHost } from './units/users.ts';

const config = z.strictObject({
  /** Root of the state directory; `run/` in it is root's, which this process is. */
  state: z.string().min(1),
  /** The processes that are to run. */
  processes: z.array(z.string().regex(/^[a-z]+$/)),
  /** Who may speak to the receiver, for whoever asks. */
  allowed,
});

const lookEveryMs = 500;
/** After so long `run/ready.json` appears also without those who only read. */
const readersWithinMs = 60_000;

const readyFileOf = (name: string): string => `/run/holdfast-${name}/ready.json`;

const readyOf = (serving: ReadonlyMap<string, Serving>, maySpeak: Allowed, vkey: string): Ready => {
  const of = (name: string): Record<string, string> => serving.get(name)?.addresses ?? {};
  return {
    receiver: of('receiver'),
    console: of('console')['console'] ?? null,
    publisher: of('publisher')['publish'] ?? null,
    allowed: maySpeak,
    vkey,
    supervisorPid: process.pid,
    processes: Object.fromEntries(
      [...serving].map(([name, { pid, uid, groups }]) => [name, { pid, uid, groups }]),
    ),
  };
};

/**
 * What the supervisor does beside supervising, where systemd starts the processes: it looks at the host as root for those
 * who may not, says ahead when a disk will be full, and says in `run/ready.json` who serves where. It parses nothing that
 * comes from outside and has no network.
 */
await runChild(
  'host',
  (value) => config.parse(value),
  async ({ state: root, processes, allowed: maySpeak }, log) => {
    // Anybody may read run/ready.json; what is for one process alone has a mode of its own.
    process.umask(0o022);
    const state = stateDirectory(root);
    const held = await holdState(state);
    const facts = processes.includes('agent')
      ? await keepDoorsWatched(state, log, userOfThisHost('agent'))
      : null;
    const auditing = keepAuditFresh(state, userOfThisHost('console'), log, () => undefined);
    const forecasting = keepDiskForecast(state, systemClock(), log);
    const started = performance.now();
    let said = '';
    const look = (): void => {
      const serving = new Map(
        processes.flatMap((name): [string, Serving][] => {
          const one = servingBy(readyFileOf(name));
          return one === null ? [] : [[name, one]];
        }),
      );
      const late = performance.now() - started > readersWithinMs;
      const wanted = said === '' && !late ? processes : ['keeper', 'receiver'];
      if (said === '' && !wanted.every((name) => serving.has(name))) return;
      const ready = readyOf(serving, maySpeak, readFileSync(state.vkeyFile, 'utf8').trim());
      const text = `${JSON.stringify(ready)}\n`;
      if (text !== said) replaceFile(state.readyFile, text, 0o644, null);
      said = text;
    };
    rmSync(state.readyFile, { force: true });
    const timer = setInterval(() => {
      try {
        look();
      } catch (error) {
        log('error', `run/ready.json could not be written: ${String(error)}`);
      }
    }, lookEveryMs);
    return {
      addresses: {},
      async stop() {
        clearInterval(timer);
        rmSync(state.readyFile, { force: true });
        facts?.stop();
        auditing.stop();
        await forecasting.stop();
        held.release();
      },
    };
  },
);
