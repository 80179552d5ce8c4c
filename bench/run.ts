import { cpus } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { messageOf } from '#base/errors';
import { BenchError, exitStatus } from './errors.ts';
import { stages, type Stage } from './holdfast/stage.ts';
import { ingest, references, type IngestOptions, type IngestResult } from './ingest.ts';
import { cleanUpOnSignals } from './run/clean-up.ts';
import { renderTable } from './run/table.ts';
import { renderVerify } from './vault/render.ts';
import { verifyBench, type VerifyBenchOptions } from './verify.ts';

const help = `npm run bench -- ingest [options]
npm run bench -- verify [options]

ingest sends the same generated RFC 5424 lines over four TCP connections to syslog-ng (from Debian's packages) and to
Holdfast, counts what each has stored, and prints lines/s, CPU, memory and disk, with the ratios to syslog-ng.
verify makes a vault of N lines, verifies it, and reads the same files with sha256sum and zstd, of which it prints
lines/s, CPU and memory. docs/performance.md says what exactly is measured.

  --lines N         lines (default 2000000, of ingest 328 MB, kept in .cache/bench; verify repeats 200000 of them)
  --runs K          repeat all of it K times and print medians (default 1)
  --json            print the rows as one JSON object too
  --keep            leave what was stored in .cache/bench/run-PID

of ingest alone:
  --stage NAME      durable, provable or searchable; repeat for more (default: all three)
  --profile DIR     let every process of Holdfast write a CPU profile there, and print where its time went;
                    such a run is slower
  --fsync-delay MS  let every fsync of Holdfast's processes take MS milliseconds longer (strace); syslog-ng does none

Exit status: 0 done · 1 a line was lost, repeated or changed, or a process failed · 2 usage · 3 no syslog-ng to be had

  npm run bench -- ingest
  npm run bench -- ingest --lines 200000 --runs 3 --json
  npm run bench -- ingest --lines 200000 --stage durable --profile /tmp/profiles
  npm run bench -- verify --lines 20000000
`;

const positive = (name: string, text: string): number => {
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

type Order = { json: 'yes' | 'no' } & (
  { bench: 'ingest'; options: IngestOptions } | { bench: 'verify'; options: VerifyBenchOptions }
);

const parse = (argv: string[]): Order | null => {
  let parsed;
  try {
    parsed = parseArgs({
      args: argv,
      allowPositionals: true,
      options: {
        lines: { type: 'string', default: '2000000' },
        runs: { type: 'string', default: '1' },
        stage: { type: 'string', multiple: true },
        'fsync-delay': { type: 'string' },
        profile: { type: 'string' },
        json: { type: 'boolean', default: false },
        keep: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (cause) {
    throw new BenchError('usage', messageOf(cause), { cause });
  }
  const { values, positionals } = parsed;
  if (values.help) return null;
  const [bench] = positionals;
  if (positionals.length !== 1 || (bench !== 'ingest' && bench !== 'verify'))
    throw new BenchError(
      'usage',
      `the benches are 'ingest' and 'verify', not '${positionals.join(' ')}'; see --help`,
    );
  const json = values.json ? 'yes' : 'no';
  const common = {
    lines: positive('lines', values.lines),
    runs: positive('runs', values.runs),
    after: values.keep ? ('keep' as const) : ('remove' as const),
  };
  if (bench === 'verify') {
    if ((values.stage ?? values.profile ?? values['fsync-delay']) !== undefined)
      throw new BenchError('usage', '--stage, --profile and --fsync-delay are options of ingest alone');
    return { bench, json, options: common };
  }
  const options = {
    ...common,
    stages:
      values.stage === undefined ? stages : stages.filter((name) => values.stage?.map(stage).includes(name)),
    conditions: {
      profiles: values.profile === undefined ? null : resolve(values.profile),
      fsyncDelayMs: values['fsync-delay'] === undefined ? 0 : positive('fsync-delay', values['fsync-delay']),
    },
  };
  return { bench, json, options };
};

const say = (text: string): void => void process.stdout.write(`${text}\n`);

const print = (result: IngestResult): void => {
  const { corpus, rows } = result;
  say(
    `${corpus.lines.toLocaleString('en-US')} RFC 5424 lines, ${(corpus.bytes / 1e6).toFixed(1)} MB, four TCP connections, ` +
      `newline framing; ${cpus().length} cores; syslog-ng ${result.syslogNgVersion}; ` +
      (result.fsyncDelayMs === 0 ? '' : `every fsync of Holdfast +${result.fsyncDelayMs} ms; `) +
      (result.runs === 1 ? 'one run' : `medians of ${result.runs} runs`),
  );
  for (const reference of references) {
    say(`\nratios to ${reference}:`);
    say(renderTable(rows, reference));
  }
  say('\nwhat there is when the clock stops, and what each process took:');
  for (const row of rows) {
    const parts = Object.entries(row.processes).map(
      ([name, { cpuSecondsPerMillion, peakMB }]) =>
        `${name} ${cpuSecondsPerMillion.toFixed(2)} CPU s/M, ${peakMB.toFixed(0)} MB`,
    );
    const disk = Object.entries(row.diskMBOf).map(([part, mb]) => `${part} ${mb.toFixed(1)} MB`);
    say(`  ${row.contender}: ${row.reached} (${parts.join('; ')}; ${disk.join(', ')})`);
  }
  for (const text of result.hottest) say(`\n${text}`);
  say(
    `\ncounts: exact for every row of every run: ${corpus.lines} of ${corpus.lines} lines, none lost, none twice, none changed`,
  );
};

const main = async (): Promise<number> => {
  const order = parse(process.argv.slice(2));
  if (order === null) {
    process.stdout.write(help);
    return 0;
  }
  cleanUpOnSignals();
  const cache = join(import.meta.dirname, '..', '.cache', 'bench');
  const result =
    order.bench === 'ingest' ? await ingest(order.options, cache) : await verifyBench(order.options, cache);
  if ('corpus' in result) print(result);
  else say(renderVerify(result));
  if (order.json === 'yes') process.stdout.write(`\n${JSON.stringify(result)}\n`);
  return 0;
};

try {
  process.exit(await main());
} catch (error) {
  process.stderr.write(
    `bench: ${error instanceof BenchError ? error.message : error instanceof Error ? error.stack : String(error)}\n`,
  );
  process.exit(error instanceof BenchError ? exitStatus[error.code] : 4);
}
