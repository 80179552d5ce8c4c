import { readFileSync, writeFileSync } from 'node:fs';
import { messageOf } from '#base/errors';
import { printable } from '#base/printable';
import { parseLineAddress } from '#vault/record';
import type { VaultErrorCode, VaultReader } from '#vault/read';
import { text, type Command, type Context } from '../command.ts';
import { CliError } from '../errors.ts';
import { Exit } from '../exit.ts';
import { jsonLine } from '../json-line.ts';
import { recordVaultRead } from '../say.ts';
import { assertPublished, explainedFor } from './presence.ts';

export const vaultProve: Command = {
  name: 'vault prove',
  summary: 'write the proof of one line, which anybody can check without this vault',
  arguments: '<address>',
  flags: [
    {
      flags: '-o, --output <file>',
      description: 'write the proof to this file instead of to standard output',
    },
  ],
  examples: [
    'holdfast vault prove 1:1 > line.tlog-proof',
    'holdfast vault prove 1:1 -o line.tlog-proof',
    'holdfast vault prove 1:0 --json',
  ],
  async run(context, [given = ''], flags) {
    const address = parseLineAddress(given);
    if (address === null || !Number.isSafeInteger(address.entry)) {
      throw new CliError(
        'usage',
        `'${given}' is no address of a line of this vault: it is <entry>:<line>, as "holdfast logs search --json" shows it`,
      );
    }
    assertPublished(context.state);
    const [{ openVault, VaultError }, { checkLineProof, encodeLineProof, parseVkey }] = await Promise.all([
      import('#vault/read'),
      import('#vault/prove'),
    ]);
    await recordVaultRead(context, 'vault prove', { address: given });
    const { entry, line, part } = address;
    const where = `${entry}:${line}`;
    const vkey = readVkey(context);
    let proof: ReturnType<VaultReader['prove']>;
    try {
      proof = openVault(context.state.vault, vkey === null ? {} : { vkey }).prove(entry, line);
    } catch (error) {
      if (!(error instanceof VaultError)) throw error;
      const message = `no proof of line ${where}: ${explainedFor(error, explain(error.code, error.message, context))}`;
      throw new CliError('could-not-look', message, { cause: error });
    }
    const bytes = encodeLineProof(proof);
    // What is given out is checked by the code of those who will check it.
    const verdict = checkLineProof(bytes, vkey === null ? {} : { vkey: parseVkey(vkey) });
    if (!verdict.proven && verdict.step !== 'key')
      throw new CliError(
        'could-not-look',
        `no proof of line ${where}: the vault is damaged: ${verdict.reason}`,
      );
    deliver(context, { where, part }, bytes, text(flags, 'output'));
    return Exit.done;
  },
};

/** @param part of a body with many lines, which is proven as a whole: a hash is of what was received */
const deliver = (
  { io, json }: Context,
  { where: address, part }: { where: string; part: number | null },
  bytes: Buffer,
  file: string | undefined,
): void => {
  const inside = part === null ? {} : { part, partLookedAt: false };
  if (part !== null && !json)
    io.err(
      `This proves all of ${address} as it was received. Whether part ${part} is in it is not looked at here: 'holdfast logs search address:${address}/${part}' shows it.\n`,
    );
  if (file === undefined) {
    const proof = bytes.toString('utf8');
    io.out(json ? jsonLine({ address, ...inside, proof }) : proof);
    return;
  }
  try {
    writeFileSync(file, bytes);
  } catch (error) {
    throw new CliError('could-not-look', `could not write the proof to ${file}: ${messageOf(error)}`, {
      cause: error,
    });
  }
  if (json) io.out(jsonLine({ address, ...inside, file, bytes: bytes.length }));
  else
    io.out(
      `The proof of line ${address} is in ${printable(file)}. Check it: holdfast vault check ${printable(file)} --key <public key>\n`,
    );
};

/** Whoever may read vault/ but not keys/ can make proofs too; whether they hold is for the reader's key to say. */
const readVkey = ({ state }: Context): string | null => {
  try {
    return readFileSync(state.vkeyFile, 'utf8').trim();
  } catch {
    return null;
  }
};

const explain = (code: VaultErrorCode, message: string, { state }: Context): string => {
  switch (code) {
    case 'expected-more':
      return `it is not committed: ${message}. Lines are committed about half a second after they come`;
    case 'not-found':
    case 'expired':
    case 'redacted':
      return message;
    case 'corrupt':
      return `the vault was altered, or cannot be read: ${message}`;
    default:
      return `${message} (${state.vault})`;
  }
};
