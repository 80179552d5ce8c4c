import { closeSync, openSync, readSync } from 'node:fs';
import type { Corpus } from '../corpus/corpus.ts';
import { timeOfLine } from '../corpus/line-time.ts';

/** One thing that is looked for, as each contender is asked for it. */
export type Needle = {
  /** For `POST /search`, or for `POST /sql` where the question is one of counting. */
  query: string;
  /** Options and pattern for ripgrep; zgrep is given the same, but for `-F`. */
  grep: { kind: 'text' | 'regex'; pattern: string };
};

/** Milliseconds at the API, or a share of the time that ripgrep takes. */
export type Bar = { ms: number } | { ofRipgrep: number };

export type Question = {
  name: string;
  /** `counts`: by host and program. */
  route: 'search' | 'sql' | 'counts';
  bar: Bar | null;
  needles: Needle[];
  /** Of the same kind, asked before those: a question is warm when others like it were. */
  warmUp?: string[];
  /** `skip`: the last lines are asked for, and not how many there are; that is asked apart, and not timed. */
  total?: 'skip';
};

/** Each time something else is looked for, or the engine would answer from what it remembers of its last answer. */
const variants = 8;
/** Of keys there are more: one that is looked for takes now 20 ms, now 40, and the median of eight is anywhere between. */
const keyVariants = 24;
const sampleBytes = 1024 * 1024;

const text = (pattern: string): Needle['grep'] => ({ kind: 'text', pattern });

export const questionsOn = (corpus: Corpus): Question[] => {
  const [keys, others] = [sampledKeys(corpus, keyVariants, 0), sampledKeys(corpus, variants, 0.5)];
  const users = ['alice', 'bob', 'carol', 'deploy', 'backup', 'postgres', 'www-data', 'jenkins'];
  const phrases = users.map((user): Needle => {
    const phrase = `password for invalid user ${user} from 192.0.2.`;
    return { query: `"${phrase}"`, grep: text(phrase) };
  });
  const days = Math.max(1, Math.ceil(corpus.lines / 2_000_000));
  return [
    {
      name: 'rare token',
      route: 'search',
      bar: { ms: 30 },
      needles: [corpus.rare.token, ...keys.slice(1)].map((token) => ({ query: token, grep: text(token) })),
      warmUp: others,
    },
    {
      name: 'phrase',
      route: 'search',
      bar: { ms: 100 },
      needles: phrases,
      warmUp: users.map((user) => `"failed password for ${user} from 192.0.2."`),
    },
    {
      name: 'substring',
      route: 'search',
      bar: { ofRipgrep: 0.5 },
      needles: keys.map((key) => key.slice(9, 16)).map((part) => ({ query: part, grep: text(part) })),
      warmUp: others.map((key) => key.slice(9, 16)),
    },
    {
      name: 'address',
      route: 'search',
      bar: null,
      needles: users.map((_, n) => ({
        query: `192.0.2.${n + 30}`,
        grep: { kind: 'regex', pattern: `\\b192\\.0\\.2\\.${n + 30}\\b` },
      })),
    },
    {
      name: 'regex',
      route: 'search',
      bar: null,
      needles: users.map((_, n) => {
        const pattern = `amount ${n + 1}[0-9]{2}\\.[59]0 EUR`;
        return { query: `/${pattern}/`, grep: { kind: 'regex', pattern } };
      }),
    },
    {
      name: 'field',
      route: 'search',
      bar: null,
      needles: users.map((_, n) => ({ query: `worker=${n}`, grep: text(` worker=${n} `) })),
    },
    {
      name: 'comparison',
      route: 'search',
      bar: null,
      needles: users.map((_, n) => ({
        query: `rt>=0.9${n + 1}`,
        grep: { kind: 'regex', pattern: `" rt=0\\.9[${n + 1}-9][0-9]?\\b` },
      })),
    },
    {
      name: 'count by app over a day',
      route: 'sql',
      bar: { ms: 50 },
      needles: Array.from({ length: variants }, (_, n) => {
        const [day, next] = daysFrom(n % days);
        return {
          query: countByApp(day, next, '00:00:00'),
          grep: { kind: 'regex', pattern: `^<[0-9]+>1 ${day}T` },
        };
      }),
      warmUp: Array.from({ length: variants }, (_, n) => countByApp(...daysFrom(n % days), '12:00:00')),
    },
    {
      name: 'phrase, by host and app',
      route: 'counts',
      bar: null,
      needles: phrases,
    },
    {
      name: 'last 100 of matching lines',
      route: 'search',
      total: 'skip',
      bar: { ms: 50 },
      needles: users.map((user) => ({
        query: `app:sshd "user ${user}"`,
        grep: { kind: 'regex', pattern: ` sshd [0-9]+ - - .*user ${user}` },
      })),
      warmUp: users.map((user) => `app:sshd "for ${user}"`),
    },
  ];
};

/** A day of the corpus and the next. */
const daysFrom = (day: number): [string, string] => [
  timeOfLine(day * 2_000_000, 0).slice(0, 10),
  timeOfLine((day + 1) * 2_000_000, 0).slice(0, 10),
];

/** A day's worth, from that time of the day on. */
const countByApp = (day: string, next: string, from: string): string =>
  `SELECT app, count() AS n FROM lines WHERE time >= '${day} ${from}' AND time < '${next} ${from}' GROUP BY app`;

/**
 * Keys of sshd's lines, from all over the corpus: forty hexadecimal digits that come once.
 * @param count how many, or fewer where the corpus is short
 * @param shift other ones for each, from 0 to 1
 */
const sampledKeys = ({ path, bytes }: Corpus, count: number, shift: number): string[] => {
  const file = openSync(path, 'r');
  const buffer = Buffer.alloc(Math.min(sampleBytes, bytes));
  const keys = Array.from({ length: count }, (_, n) => {
    const read = readSync(
      file,
      buffer,
      0,
      buffer.length,
      Math.floor(((bytes - buffer.length) * (n + shift)) / count),
    );
    return /SHA256:([0-9a-f]{40})/.exec(buffer.toString('latin1', 0, read))?.[1] ?? '';
  });
  closeSync(file);
  return keys.filter((key) => key !== '');
};
