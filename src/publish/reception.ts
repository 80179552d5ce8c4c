import type { Clock } from '#base/clock';
import { messageOf } from '#base/errors';
import type { OwnLog } from '#base/own-log';
import { formatMicros } from '#base/rfc3339';
import type { Peer } from '#http';
import { parseVkey, type WitnessVkey } from '#vault/checkpoint';
import { sha256 } from '#vault/tree';
import { words, type Answer } from './answer.ts';
import { PublishError } from './errors.ts';
import type { OwnLine } from './own-line.ts';
import { openLogKeys } from './log-keys.ts';
import { openRate, type RateLimit } from './rate.ts';
import type { Resources } from './resource.ts';
import { judge, type Statement } from './statement.ts';

/** Takes what witnesses hand in. */
export type Reception = {
  /** Whether this peer may hand in something now; counted. `null`: it may. */
  admit(peer: Peer): Answer | null;
  /** @throws VaultError `corrupt` */
  take(body: Buffer, asked: 'cosignature' | 'contradiction', peer: Peer): Promise<Answer>;
};

export type ReceptionOptions = {
  resources: Resources;
  witnesses: readonly WitnessVkey[];
  own: OwnLine;
  clock: Clock;
  log: OwnLog;
  each: RateLimit;
  all: RateLimit;
};

/** Statements that are remembered as acknowledged. */
const mostRemembered = 4096;

export const openReception = (options: ReceptionOptions): Reception => {
  const { resources, witnesses, own, clock, log } = options;
  const rate = openRate(options.each, options.all);
  const keys = openLogKeys();
  /** What the receiver has acknowledged: the same bytes again make no second line. */
  const said = new Set<string>();
  /** What waits for the receiver: handed in twice meanwhile, it still is one line. */
  const underWay = new Map<string, Promise<void>>();
  let away = false;

  const send = async (key: string, { kind, ...fields }: Statement): Promise<void> => {
    await own.send(Buffer.from(JSON.stringify({ kind, time: formatMicros(clock.now()), ...fields })));
    if (said.size >= mostRemembered) said.delete(said.values().next().value ?? '');
    said.add(key);
    if (kind === 'contradiction')
      log('error', 'a witness handed in a checkpoint that our key signed and our log does not contain');
  };

  const say = (line: Statement): Promise<void> => {
    const key = sha256(Buffer.from(`${line.kind}\n${line.note}`)).toString('latin1');
    if (said.has(key)) return Promise.resolve();
    const sending = underWay.get(key) ?? send(key, line).finally(() => underWay.delete(key));
    underWay.set(key, sending);
    return sending;
  };

  return {
    admit: (peer) =>
      rate.allows(peer.name, clock.elapsed())
        ? null
        : words(429, 'too many at once: try again in a while', 10),
    async take(body, asked, peer) {
      const publication = resources.published.now();
      if (publication === null) return words(503, 'no checkpoint is published here yet', 5);
      const judged = judge(body, asked, {
        publication,
        vkey: parseVkey(resources.vkey()),
        witnesses,
        earlierKeys: () => keys.named(publication),
        others: peer.over === 'unix' ? 'passed on' : 'refused',
      });
      if (judged.result !== 'said') return judged.answer;
      try {
        await Promise.all(judged.lines.map(say));
        if (away) log('info', 'the receiver takes lines again');
        away = false;
        return words(202, `taken: ${judged.lines[0]?.kind ?? ''}, on its way into the log`);
      } catch (error) {
        if (!(error instanceof PublishError)) throw error;
        if (!away) log('warning', `${messageOf(error)}; witnesses are asked to try again`);
        away = true;
        return words(503, 'it cannot be stored now: try again', 5);
      }
    },
  };
};
