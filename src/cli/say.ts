import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '#base/clock';
import { systemCode } from '#base/errors';
import type { Context } from './command.ts';
import { CliError } from './errors.ts';
import { loggedIn } from './logged-in.ts';

/** Lines of this command's own: what it did, and who started it. */
export type Saying = {
  /** Resolves when the line is durable. @throws CliError `not-running` */
  say(kind: string, fields: Record<string, unknown>): Promise<void>;
  close(): void;
};

/** @throws CliError `not-running` where nobody takes it */
export const openSaying = async ({ state }: Pick<Context, 'state'>): Promise<Saying> => {
  const { openOwnSender, selfLine } = await import('#ship/import');
  const clock = systemClock();
  const stream = `cli-${randomBytes(8).toString('hex')}`;
  const sender = await openOwnSender(state.ownSocket, { sender: 'cli', stream }).catch((error: unknown) => {
    throw receiverAway(state.ownSocket, error);
  });
  const who = loggedIn(process.env);
  const by = { uid: process.getuid?.() ?? -1, ...(Object.keys(who).length === 0 ? {} : { for: who }) };
  return {
    async say(kind, fields) {
      try {
        await sender.send(selfLine(clock, kind, { ...by, ...fields }));
        await sender.flushed();
      } catch (error) {
        throw receiverAway(state.ownSocket, error);
      }
    },
    close: () => sender.close(),
  };
};

export const receiverAway = (socket: string, error: unknown): CliError => {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  const why =
    systemCode(cause) === 'EACCES'
      ? `${socket} does not let you in: run this as root or as the user who started Holdfast`
      : `nobody takes lines at ${socket}: start Holdfast with 'holdfast up' (or name its state directory with --state)`;
  return new CliError('not-running', why, { cause: error });
};

/** Lines of a command that goes on without them: who may read the files, or reach the host, cannot be kept from it. */
export type Recording = {
  /** Resolves when the line is durable, or stderr has said that it is not recorded. */
  say(fields: Record<string, unknown>): Promise<void>;
  close(): void;
};

/** How long the receiver may take for a line. */
const takeWithinMs = 5_000;

/**
 * Records what a command does that no process of Holdfast's sees. Where nobody takes a line, stderr says so, once.
 * @param kind of the lines: `read`, `probe`, `plan`
 */
export const openRecording = (
  { io, state }: Pick<Context, 'io' | 'state'>,
  kind: string,
  patienceMs = takeWithinMs,
): Recording => {
  let saying: Saying | null = null;
  let isAway = false;
  const say = async (fields: Record<string, unknown>): Promise<void> => {
    saying ??= await openSaying({ state });
    await saying.say(kind, fields);
  };
  return {
    async say(fields) {
      if (isAway) return;
      const taken = new AbortController();
      const late = sleep(patienceMs, undefined, { signal: taken.signal }).then(() => {
        throw new CliError('not-running', `${state.ownSocket} takes nothing`);
      });
      try {
        await Promise.race([say(fields), late]);
      } catch (error) {
        if (!(error instanceof CliError)) throw error;
        isAway = true;
        io.err(`This ${kind} is not recorded: ${error.message}\n`);
      } finally {
        taken.abort();
      }
    },
    close: () => saying?.close(),
  };
};

/** Records that lines, or proofs of them, were read straight from the vault, which the indexer does not see. */
export const recordVaultRead = async (
  context: Context,
  read: string,
  asked: Record<string, unknown>,
): Promise<void> => {
  const recording = openRecording(context, 'read');
  await recording.say({ read, asked, outcome: 'begun' });
  recording.close();
};
