import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { messageOf } from '#base/errors';
import { BenchError } from './errors.ts';
import { stages, type Stage } from './holdfast/stage.ts';
import type { IngestOptions } from './ingest.ts';
import { alternatives } from './layout/alternatives.ts';
import type { LayoutOptions } from './layout.ts';
import type { SearchBenchOptions } from './search.ts';
import { transportNames, type TransportName, type TransportsOptions } from './transports.ts';
import type { UdpOptions } from './udp.ts';
import type { ServicesBenchOptions } from './services.ts';
import type { VerifyBenchOptions } from './verify.ts';

/** Names in lines of 120 characters. */
const listed = (names: readonly string[]): string => {
  const indent = ' '.repeat(20);
  const lines: string[] = [];
  for (const name of names) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + name.length < 116) lines[lines.length - 1] = `${last} · ${name}`;
    else lines.push(`${indent}${name}`);
  }
  return lines.join('\n');
};

export const help = `npm run bench -- ingest [options]
npm run bench -- transports [options]
npm run bench -- udp [options]
npm run bench -- verify [options]
npm run bench -- search [options]
npm run bench -- services [options]
npm run bench -- layout [options]

ingest sends the same generated RFC 5424 lines over four TCP connections to syslog-ng (from Debian's packages) and to
Holdfast, counts what each has stored, and prints lines/s, CPU, memory and disk, with the ratios to syslog-ng.
transports sends them over TLS and over RELP to rsyslog (from Debian's packages) and to Holdfast, and prints the same.
udp finds the highest rate at which syslog-ng and Holdfast lose no datagram, from one sender and from eight, and holds
what Holdfast has counted as lost against what is missing.
verify makes a vault of N lines, verifies it, and reads the same files with sha256sum and zstd, of which it prints
lines/s, CPU and memory.
search asks Holdfast at its API, and ripgrep and zgrep on the files that syslog-ng would have written, the same questions
of the same lines, and prints how long each took.
layout fills tables that are laid out in other ways with the rows of an index, and prints the bytes, the CPU seconds and
how long the questions of search take. docs/performance.md says what exactly is measured.

services opens sockets in many processes and prints how long the list of doors and the agent's next look take, beside
lsof and ss; and how long commands take to start.

  --lines N         lines (default 2000000, of ingest 328 MB, kept in .cache/bench; verify repeats 200000 of them; of
                    search and layout 20000000, which take 20 GB of disk while it runs)
  --runs K          repeat all of it K times and print medians; of udp, the trials at and beyond the highest rate
                    (default 1); of search, how often each question is asked
  --json            print the rows as one JSON object too
  --keep            leave what was stored in .cache/bench/run-PID

of search and layout:
  --fill DIR        keep vault, index and files (of layout: tables) in DIR, and use what an earlier run of the same
                    lines left there
  --fill-only       make what is missing in DIR, and ask nothing

of search alone:
  --stream RATE     lines a second that come in while it is asked again (default 50000)

of layout alone:
  --alternative X   one of the following, or 'codecs'; repeat for more (default: all)
${listed(alternatives.map(({ name }) => name))}

of ingest, transports and udp:
  --profile DIR     let every process of Holdfast write a CPU profile there; such a run is slower. ingest prints
                    where the time went

of ingest and transports:
  --fsync-delay MS  let every fsync of Holdfast's processes take MS milliseconds longer (strace); the others do none

of ingest alone:
  --stage NAME      durable, provable or searchable; repeat for more (default: all three)

of transports alone:
  --transport NAME  tls or relp; repeat for more (default: both)
  --window N        lines that the RELP sender may leave unanswered on each connection (default 128, librelp's own)

of services alone:
  --processes N     processes with 32 sockets each (default 225)

of udp alone:
  --seconds S       how long each rate is tried (default 5)
  --from RATE       the first rate that is tried, in datagrams a second (default 40000)
  --rate RATE       try this one rate, and then as many as can be sent, instead of looking for the highest
  --senders N       repeat for more (default: 1 and 8)

Exit status: 0 done · 1 a line was lost uncounted, repeated or changed, or a process failed · 2 usage · 3 what it is
compared with cannot be had here

  npm run bench -- ingest
  npm run bench -- ingest --lines 200000 --runs 3 --json
  npm run bench -- ingest --lines 200000 --stage durable --profile /tmp/profiles
  npm run bench -- transports --transport relp --window 1024
  npm run bench -- udp --senders 1 --seconds 2
  npm run bench -- verify --lines 20000000
  npm run bench -- services --runs 5
  npm run bench -- search --lines 2000000
  npm run bench -- search --fill /var/tmp/twenty-million --fill-only
  npm run bench -- layout --alternative 'as it is' --alternative 'ORDER BY time'
`;

export type Order = { json: 'yes' | 'no' } & (
  | { bench: 'ingest'; options: IngestOptions }
  | { bench: 'transports'; options: TransportsOptions }
  | { bench: 'udp'; options: UdpOptions }
  | { bench: 'verify'; options: VerifyBenchOptions }
  | { bench: 'services'; options: ServicesBenchOptions }
  | { bench: 'search'; options: SearchBenchOptions }
  | { bench: 'layout'; options: LayoutOptions }
  | { bench: 'fill'; options: { lines: number; fill: string } }
);

/** Which bench takes which option; all take the others. */
const optionsOf = {
  ingest: ['stage', 'fsync-delay', 'profile'],
  transports: ['transport', 'window', 'fsync-delay', 'profile'],
  udp: ['seconds', 'from', 'rate', 'senders', 'profile'],
  verify: [],
  services: ['processes'],
  search: ['stream', 'fill', 'fill-only'],
  layout: ['fill', 'fill-only', 'alternative'],
} as const satisfies Record<Exclude<Order['bench'], 'fill'>, readonly string[]>;

const benches = ['ingest', 'transports', 'udp', 'verify', 'search', 'layout', 'services'] as const;

/** @returns `null` when help is asked for @throws BenchError `usage` */
export const parseOrder = (argv: string[]): Order | null => {
  const { values, positionals } = parsed(argv);
  if (values.help) return null;
  const bench = benches.find((name) => name === positionals[0]);
  if (positionals.length !== 1 || bench === undefined)
    throw new BenchError(
      'usage',
      `the benches are ${benches.join(', ')}, not '${positionals.join(' ')}'; see --help`,
    );
  for (const [other, names] of Object.entries(optionsOf)) {
    for (const name of names) {
      const isTaken = optionsOf[bench].some((own) => own === name);
      if (!isTaken && values[name] !== undefined)
        throw new BenchError('usage', `--${name} is an option of ${other}, not of ${bench}`);
    }
  }
  const json = values.json ? 'yes' : 'no';
  const common = {
    lines: whole(
      'lines',
      values.lines ?? (bench === 'search' || bench === 'layout' ? '20000000' : '2000000'),
    ),
    runs: whole('runs', values.runs),
    after: values.keep ? ('keep' as const) : ('remove' as const),
  };
  const profiles = values.profile === undefined ? null : resolve(values.profile);
  const fsyncDelayMs = values['fsync-delay'] === undefined ? 0 : whole('fsync-delay', values['fsync-delay']);
  switch (bench) {
    case 'services':
      return {
        bench,
        json,
        options: { processes: whole('processes', values.processes ?? '225'), runs: common.runs },
      };
    case 'verify':
      return { bench, json, options: common };
    case 'search':
      return searchOrder(json, common, values);
    case 'layout':
      return {
        bench,
        json,
        options: {
          ...common,
          fill: fillDirectory(values),
          until: values['fill-only'] ? 'filled' : 'asked',
          alternatives: values.alternative?.map(alternative) ?? [...layouts, 'codecs'],
        },
      };
    case 'transports': {
      const wanted = values.transport?.map(transport) ?? transportNames;
      return {
        bench,
        json,
        options: {
          ...common,
          transports: transportNames.filter((name) => wanted.includes(name)),
          window: whole('window', values.window ?? '128'),
          conditions: { profiles, fsyncDelayMs },
        },
      };
    }
    case 'udp':
      return {
        bench,
        json,
        options: {
          ...common,
          seconds: whole('seconds', values.seconds ?? '5'),
          rates:
            values.rate === undefined
              ? { from: whole('from', values.from ?? '40000') }
              : { only: whole('rate', values.rate) },
          senders: [...new Set((values.senders ?? ['1', '8']).map((text) => whole('senders', text)))],
          profiles,
        },
      };
    case 'ingest': {
      const wanted = values.stage?.map(stage) ?? stages;
      return {
        bench,
        json,
        options: {
          ...common,
          stages: stages.filter((name) => wanted.includes(name)),
          conditions: { profiles, fsyncDelayMs },
        },
      };
    }
  }
};

const searchOrder = (
  json: Order['json'],
  common: Omit<SearchBenchOptions, 'rate' | 'fill'>,
  values: Values,
): Order => {
  const fill = fillDirectory(values);
  if (values['fill-only'] && fill !== null)
    return { bench: 'fill', json, options: { lines: common.lines, fill } };
  return {
    bench: 'search',
    json,
    options: { ...common, fill, rate: whole('stream', values.stream ?? '50000') },
  };
};

type Values = ReturnType<typeof parsed>['values'];

const fillDirectory = (values: Values): string | null => {
  if (values.fill !== undefined) return resolve(values.fill);
  if (values['fill-only']) throw new BenchError('usage', '--fill-only fills the directory that --fill names');
  return null;
};

const parsed = (argv: string[]) => {
  try {
    return parseArgs({
      args: argv,
      allowPositionals: true,
      options: {
        lines: { type: 'string' },
        runs: { type: 'string', default: '1' },
        stage: { type: 'string', multiple: true },
        'fsync-delay': { type: 'string' },
        transport: { type: 'string', multiple: true },
        window: { type: 'string' },
        seconds: { type: 'string' },
        from: { type: 'string' },
        rate: { type: 'string' },
        senders: { type: 'string', multiple: true },
        stream: { type: 'string' },
        fill: { type: 'string' },
        alternative: { type: 'string', multiple: true },
        'fill-only': { type: 'boolean' },
        profile: { type: 'string' },
        processes: { type: 'string' },
        json: { type: 'boolean', default: false },
        keep: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (cause) {
    throw new BenchError('usage', messageOf(cause), { cause });
  }
};

const whole = (name: string, text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 50_000_000)
    throw new BenchError('usage', `--${name} takes a whole number from 1 to 50000000, not '${text}'`);
  return value;
};

const stage = (text: string): Stage => {
  const known = stages.find((name) => name === text);
  if (known === undefined) throw new BenchError('usage', `--stage takes ${stages.join(', ')}, not '${text}'`);
  return known;
};

const layouts = alternatives.map(({ name }) => name);

const alternative = (text: string): string => {
  if (text === 'codecs' || layouts.includes(text)) return text;
  throw new BenchError('usage', `--alternative takes codecs, ${layouts.join(', ')}, not '${text}'`);
};

const transport = (text: string): TransportName => {
  const known = transportNames.find((name) => name === text);
  if (known === undefined)
    throw new BenchError('usage', `--transport takes ${transportNames.join(', ')}, not '${text}'`);
  return known;
};
