import { readFile } from 'node:fs/promises';
import { text as textOf } from 'node:stream/consumers';
import { z } from 'zod';
import type { InsideDoor, InsideView } from '#advise';
import { messageOf } from '#base/errors';
import { CliError } from '#cli';
import type { Door } from '#probe/host';
import { runThere } from './through.ts';

const listener = z.object({
  protocol: z.enum(['tcp', 'udp', 'udplite', 'sctp', 'raw', 'packet', 'unix', 'vsock']),
  address: z.string(),
  port: z.number().nullable(),
  v6only: z.boolean().nullable(),
  netns: z.object({ own: z.boolean() }),
  holder: z.enum(['process', 'systemd', 'kernel', 'forwarder', 'unseen']),
  processes: z.array(z.object({ exe: z.string().nullable(), unit: z.string().nullable() })),
  scope: z.enum(['public', 'network', 'local', 'container']),
  forwardsTo: z.string().nullable().default(null),
  translatedBy: z.string().nullable().default(null),
  transient: z.boolean().nullable().default(null),
  reachable: z
    .object({ from: z.enum(['nobody', 'this host', 'networks', 'anyone']), rule: z.string() })
    .nullable()
    .default(null),
});

const listed = z.looseObject({ listeners: z.array(z.unknown()), couldNotLook: z.array(z.unknown()) });

/**
 * What `services list --json` printed, as far as it is about TCP and UDP.
 * @throws CliError `usage` where it is nothing of the kind
 */
export const parseInside = (text: string, from: string): InsideView => {
  try {
    const { listeners, couldNotLook } = listed.parse(JSON.parse(text));
    return {
      doors: listeners.flatMap(insideDoor),
      extent: couldNotLook.length === 0 ? 'whole' : 'partial',
    };
  } catch (error) {
    throw new CliError(
      'usage',
      `${from} is not what 'holdfast services list --json' prints (${messageOf(error).slice(0, 200)})`,
      { cause: error },
    );
  }
};

/** What the host says of itself, and where that is from. */
export type Inside = { view: InsideView; from: string };

/** One listener; those that answer no stranger (other protocols, short-lived ports of clients) are left out. */
export const insideDoor = (value: unknown): InsideDoor[] => {
  const { netns, transient, ...one } = listener.parse(value);
  return (one.protocol === 'tcp' || one.protocol === 'udp') && transient !== true
    ? [{ ...one, own: netns.own }]
    : [];
};

/** @throws CliError `usage`, `could-not-look` */
export const insideFromFile = async (file: string): Promise<InsideView> => {
  try {
    const text = file === '-' ? await textOf(process.stdin) : await readFile(file, 'utf8');
    return parseInside(text, file === '-' ? 'standard input' : file);
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw new CliError('could-not-look', `--inside ${file}: ${messageOf(error)}`, { cause: error });
  }
};

/** Asks the host itself. @throws CliError `could-not-look` */
export const insideThrough = async (through: string): Promise<InsideView> =>
  parseInside(
    await runThere(through, 'holdfast services list --json'),
    `what 'holdfast services list --json' prints through '${through}'`,
  );

/** The ports that the host says something of, in its own network. */
export const doorsOf = ({ doors }: InsideView): Door[] =>
  doors.flatMap(({ protocol, port, own }) =>
    own && port !== null && port > 0 && (protocol === 'tcp' || protocol === 'udp')
      ? [{ protocol, port }]
      : [],
  );
