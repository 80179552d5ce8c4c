import { printable } from '#base/printable';
import { CliError, Exit, type Context } from '#cli';
import { formatWitnessVkey } from '#vault/checkpoint';
import { loadWitnessVkey, rememberedLogs, WitnessError, type RememberedLog } from '#witness';
import { layoutOf, type Given } from './options.ts';

/** `holdfast witness show`: per log what is remembered, and the file that says so. */
export const showWitness = async ({ io, json }: Context, given: Given): Promise<Exit> => {
  const layout = layoutOf(given);
  try {
    const vkey = loadWitnessVkey(layout);
    const logs = rememberedLogs(layout, vkey);
    const text = formatWitnessVkey(vkey.name, vkey.publicKey);
    if (json) io.out(`${JSON.stringify({ witness: text, logs: logs.map(asJson) })}\n`);
    else io.out(`${text}\n${logs.map(asText).join('')}`);
    return logs.every((log) => log.stopped === null && log.remembered.is !== 'damaged')
      ? Exit.done
      : Exit.bad;
  } catch (error) {
    if (error instanceof WitnessError) throw new CliError('could-not-look', error.message, { cause: error });
    throw error;
  }
};

/** A name that the file gave, where nothing about the file could be believed. */
const nameOf = ({ origin, file }: RememberedLog): string => (origin === null ? file : printable(origin));

const asText = (log: RememberedLog): string => {
  const { remembered, stopped, file } = log;
  const lines = [`\n${nameOf(log)}`];
  if (remembered.is === 'seen') {
    const { head, time } = remembered.seen;
    lines.push(
      `  size ${head.size}`,
      `  root ${head.root.toString('base64')}`,
      `  cosigned ${iso(time)}`,
      `  note ${file}`,
    );
  }
  if (remembered.is === 'unseen') lines.push('  nothing was cosigned yet');
  if (remembered.is === 'damaged') lines.push(`  DAMAGED: ${printable(remembered.why)}`);
  if (stopped !== null) lines.push(`  STOPPED: ${printable(stopped)}`);
  return `${lines.join('\n')}\n`;
};

const asJson = (log: RememberedLog): Record<string, unknown> => ({
  origin: log.origin,
  ...(log.remembered.is === 'seen'
    ? {
        size: log.remembered.seen.head.size,
        root: log.remembered.seen.head.root.toString('base64'),
        time: iso(log.remembered.seen.time),
        note: log.file,
      }
    : {}),
  ...(log.remembered.is === 'damaged' ? { damaged: log.remembered.why } : {}),
  stopped: log.stopped,
});

/** RFC 3339, or the bare seconds where a clock was beyond all calendars. */
const iso = (seconds: number): string => {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? `${seconds} s` : date.toISOString().replace('.000Z', 'Z');
};
