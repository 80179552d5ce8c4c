import type { Clock } from '#base/clock';
import { messageOf } from '#base/errors';
import type { OwnLog } from '#base/own-log';
import { formatMicros } from '#base/rfc3339';
import { parseVkey, type WitnessVkey } from '#vault/checkpoint';
import { sha256 } from '#vault/tree';
import { words, type Answer } from './answer.ts';
import { PublishError } from './errors.ts';
import type { OwnLine } from './own-line.ts';
import { openRate, type RateLimit } from './rate.ts';
import type { Resources } from './resource.ts';
import { judge, type Statement } from './statement.ts';

/** Takes what witnesses hand in. */
export type Reception = {
  /** Whether this peer may hand in something now; counted. `null`: it may. */
  admit(peer: string): Answer | null;
  /** @throws VaultError `corrupt` */
  take(body: Buffer, asked: 'cosignature' | 'contradiction', peer: string): Promise<Answer>;
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
  /** What the receiver has acknowledged: the same bytes again make no second line. */
  const said = new Set<string>();
  let away = false;

  const say = async (line: Statement): Promise<void> => {
    const key = sha256(Buffer.from(`${line.kind}\n${line.note}`)).toString('latin1');
    if (said.has(key)) return;
    const { kind, ...fields } = line;
    await own.send(Buffer.from(JSON.stringify({ kind, time: formatMicros(clock.now()), ...fields })));
    if (said.size >= mostRemembered) said.delete(said.values().next().value ?? '');
    said.add(key);
    if (kind === 'contradiction')
      log('error', 'a witness handed in a checkpoint that our key signed and our log does not contain');
  };

  return {
    admit: (peer) =>
      rate.allows(peer, clock.elapsed()) ? null : words(429, 'too many at once: try again in a while', 10),
    async take(body, asked, peer) {
      const publication = resources.published.now();
      if (publication === null) return words(503, 'no checkpoint is published here yet', 5);
      const judged = judge(body, asked, {
        publication,
        vkey: parseVkey(resources.vkey()),
        witnesses,
        others: peer === 'local' ? 'passed on' : 'refused',
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
