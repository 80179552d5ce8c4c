import { randomBytes } from 'node:crypto';
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

/**
 * Records that lines, or proofs of them, were read straight from the vault, which the indexer does not see. Where nobody
 * takes the record, stderr says so: who may read the files cannot be kept from it.
 */
export const recordVaultRead = async (
  { io, state }: Context,
  read: string,
  asked: Record<string, unknown>,
): Promise<void> => {
  try {
    const saying = await openSaying({ state });
    try {
      await saying.say('read', { read, asked, outcome: 'begun' });
    } finally {
      saying.close();
    }
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    io.err(`This read is not recorded: ${error.message}\n`);
  }
};
