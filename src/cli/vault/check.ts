import { messageOf } from '#base/errors';
import { printable } from '#base/printable';
import type { Verdict, Vkey, WitnessVkey } from '#vault/prove';
import { text, texts, type Command, type Flags } from '../command.ts';
import { CliError } from '../errors.ts';
import { Exit } from '../exit.ts';
import type { Io } from '../io.ts';
import { jsonLine } from '../json-line.ts';
import { checkedJson, renderChecked } from './checked.ts';
import { givenKey, readShort, readToEnd } from './given-key.ts';

export const vaultCheck: Command = {
  name: 'vault check',
  summary: 'check the proof of one line; needs the file and a public key, no vault',
  arguments: '<file>',
  flags: [
    {
      flags: '--key <vkey>',
      description: 'the public key of the log, or a file that holds it; not from whoever gave you the proof',
    },
    {
      flags: '--witness <vkey>',
      description: 'the public key of a witness that must have cosigned, or a file that holds it; repeat it',
      repeats: true,
    },
    {
      flags: '--raw',
      description:
        'print the bytes of the line as they were received, and nothing else; escaped on a terminal',
    },
  ],
  examples: [
    'holdfast vault check line.tlog-proof --key keys/vault.vkey',
    'holdfast vault check - --key keys/vault.vkey < line.tlog-proof',
    'holdfast vault check line.tlog-proof --key keys/vault.vkey --json',
  ],
  async run({ io, json }, [file = ''], flags) {
    const { checkLineProof, maxLineProof, parseVkey, parseWitnessVkey } = await import('#vault/prove');
    const given = text(flags, 'key');
    const vkey: { vkey?: Vkey } =
      given === undefined ? {} : { vkey: givenKey('--key', given, parseVkey).key };
    const witnesses: WitnessVkey[] = (texts(flags, 'witness') ?? []).map(
      (witness) => givenKey('--witness', witness, parseWitnessVkey).key,
    );
    const verdict = checkLineProof(readProof(file, maxLineProof), { ...vkey, witnesses });
    print(io, { verdict, json, flags });
    if (verdict.proven) return Exit.done;
    return verdict.step === 'key' ? Exit.usage : Exit.bad;
  },
};

const print = (io: Io, { verdict, json, flags }: { verdict: Verdict; json: boolean; flags: Flags }): void => {
  if (json) io.out(jsonLine(checkedJson(verdict)));
  else if (flags['raw'] !== true) io.out(renderChecked(io, verdict));
  else if (verdict.proven) printRaw(io, verdict.claim.record.raw);
  else io.err(renderChecked(io, verdict));
};

/** Exact bytes for files and pipes; a terminal would obey some of them. */
const printRaw = (io: Io, raw: Buffer): void => {
  if (io.interactive) io.out(`${printable(raw)}\n`);
  else process.stdout.write(raw);
};

const readProof = (file: string, limit: number): Buffer => {
  try {
    return file === '-' ? readToEnd(0, limit) : readShort(file, limit);
  } catch (error) {
    throw new CliError('could-not-look', `could not read the proof ${file}: ${messageOf(error)}`, {
      cause: error,
    });
  }
};
