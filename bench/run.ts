import { cpus } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { messageOf } from '#base/errors';
import { BenchError, exitStatus } from './errors.ts';
import { stages, type Stage } from './holdfast/stage.ts';
import { ingest, references, type IngestOptions, type IngestResult } from './ingest.ts';
import { cleanUpOnSignals } from './run/clean-up.ts';
import { renderTable } from './run/table.ts';

const help = `npm run bench -- ingest [options]

Sends the same generated RFC 5424 lines over four TCP connections to syslog-ng (from Debian's packages) and to
Holdfast, counts what each has stored, and prints lines/s, CPU, memory and disk, with the ratios to syslog-ng.
docs/performance.md says what exactly is measured.

  --lines N         lines of the corpus (default 2000000, 328 MB; kept in .cache/bench)
  --runs K          repeat all of it K times and print medians (default 1)
  --stage NAME      durable, provable or searchable; repeat for more (default: all three)
  --json            print the rows as one JSON object too
  --profile DIR     let every process of Holdfast write a CPU profile there, and print where its time went;
                    such a run is slower
  --fsync-delay MS  let every fsync of Holdfast's processes take MS milliseconds longer (strace); syslog-ng does none
  --keep            leave what was stored in .cache/bench/run-PID

Exit status: 0 done · 1 a line was lost, repeated or changed, or a process failed · 2 usage · 3 no syslog-ng to be had

  npm run bench -- ingest
  npm run bench -- ingest --lines 200000 --runs 3 --json
  npm run bench -- ingest --lines 200000 --stage durable --profile /tmp/profiles
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

const parse = (argv: string[]): (IngestOptions & { json: 'yes' | 'no' }) | null => {
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
  if (positionals.length !== 1 || positionals[0] !== 'ingest')
    throw new BenchError('usage', `there is one bench, 'ingest', not '${positionals.join(' ')}'; see --help`);
  return {
    lines: positive('lines', values.lines),
    runs: positive('runs', values.runs),
    stages:
      values.stage === undefined ? stages : stages.filter((name) => values.stage?.map(stage).includes(name)),
    conditions: {
      profiles: values.profile === undefined ? null : resolve(values.profile),
      fsyncDelayMs: values['fsync-delay'] === undefined ? 0 : positive('fsync-delay', values['fsync-delay']),
    },
    after: values.keep ? 'keep' : 'remove',
    json: values.json ? 'yes' : 'no',
  };
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
  const options = parse(process.argv.slice(2));
  if (options === null) {
    process.stdout.write(help);
    return 0;
  }
  cleanUpOnSignals();
  const result = await ingest(options, join(import.meta.dirname, '..', '.cache', 'bench'));
  print(result);
  if (options.json === 'yes') process.stdout.write(`\n${JSON.stringify(result)}\n`);
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
