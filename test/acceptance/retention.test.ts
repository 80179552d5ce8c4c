import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { zstdDecompressSync } from 'node:zlib';
import { removeState, run, search, startUp, temporaryState, until } from '../harness/up.ts';

/**
 * The blocks of a column file of ClickHouse that are ZSTD, decompressed: 16 bytes of checksum, method (0x90), two u32
 * little-endian (length with these nine bytes, length of the data), data. As much as reads so.
 */
const columnData = (bytes: Buffer): Buffer => {
  const found: Buffer[] = [];
  for (let at = 16; at + 9 <= bytes.length;) {
    const length = bytes.readUInt32LE(at + 1);
    if (length < 9 || at + length > bytes.length) break;
    if (bytes[at] === 0x90) found.push(zstdDecompressSync(bytes.subarray(at + 9, at + length)));
    at += length + 16;
  }
  return Buffer.concat([bytes, ...found]);
};

const contentOf = (path: string): Buffer => {
  const bytes = readFileSync(path);
  if (path.endsWith('.zst')) return zstdDecompressSync(bytes);
  return path.endsWith('.bin') ? columnData(bytes) : bytes;
};

/**
 * Files of the state directory that hold the text, with segments and columns of the index decompressed. What goes while
 * one looks has it no more.
 */
const filesWith = (root: string, text: string): string[] =>
  filesBelow(root).filter((path) => {
    try {
      return contentOf(path).includes(text);
    } catch {
      return false;
    }
  });

/** The index merges its directories, and deletes them, meanwhile. */
const filesBelow = (directory: string): string[] => {
  try {
    return readdirSync(directory, { withFileTypes: true }).flatMap((file) => {
      const path = join(directory, file.name);
      return file.isDirectory() ? filesBelow(path) : file.isFile() ? [path] : [];
    });
  } catch (error) {
    if (existsSync(directory)) throw error;
    return [];
  }
};

test('expiry, legal hold and redaction, as an operator does them on a live Holdfast', async (t) => {
  const state = temporaryState();
  t.after(() => removeState(state));
  const up = await startUp(state);
  t.after(() => up.interrupt());
  const vault = (...args: string[]): ReturnType<typeof run> =>
    run('vault', args[0] ?? '', '--state', state.root, ...args.slice(1));
  const send = async (...lines: string[]): Promise<void> => {
    const socket = connect(up.syslogTcp(), '127.0.0.1');
    await once(socket, 'connect');
    socket.end(lines.map((line) => `<34>1 2026-05-12T03:00:00Z web1 app - - - ${line}\n`).join(''));
    await once(socket, 'close');
  };
  const addressOf = async (word: string): Promise<string> => {
    await until(`${word} is found`, () => search(state, word).hits.length === 1);
    return search(state, word).hits[0]?.address ?? '';
  };
  const fine = (result: ReturnType<typeof run>): string => {
    assert.equal(result.status, 0, result.stdout + result.stderr);
    return result.stdout;
  };
  const verify = (): ReturnType<typeof run> => vault('verify');

  // What is searched for is recorded: what must be gone in the end is not searched for.
  // In a crowd a word is not to be seen in a compressed file.
  const fillers = Array.from({ length: 30 }, (_, i) => `filler ${i} with words ${i * 7919}`);
  await send('alpha before', 'the password is correcthorse', 'omega after', ...fillers);
  const address = await addressOf('password');
  const [entry = ''] = address.split(':');
  await send('a line of another batch');
  const other = (await addressOf('another')).split(':')[0] ?? '';
  const neighbours = [await addressOf('alpha'), await addressOf('after')];

  // Where it is looked for below: in the vault, in intake and in the index.
  const having = filesWith(state.root, 'correcthorse');
  for (const place of ['vault/segment', 'intake', 'index'])
    assert.ok(
      having.some((path) => path.startsWith(join(state.root, place))),
      `${place}: ${having.join()}`,
    );

  // A part goes with the whole body that it came in, and so not without being said.
  const part = vault('redact', `${address}/2`);
  assert.equal(part.status, 2);
  assert.match(part.stderr, new RegExp(`as a whole, with all of its other parts.*vault redact ${address}\n`));
  // A dry run shows the line and changes nothing.
  assert.match(fine(vault('redact', address)), /the password is correcthorse[^]*Nothing was changed/);
  // A hold keeps it; once it is released, the line goes.
  const held = JSON.parse(
    fine(vault('hold', '--entries', `${entry}..${entry}`, '--reason', 'case 7', '--by', 'counsel', '--json')),
  );
  const redact = ['redact', address, '--reason', 'a password', '--by', 'J. Doe', '--apply'];
  const refused = vault(...redact);
  assert.equal(refused.status, 3);
  assert.match(refused.stderr, /\(held\): cannot redact: entry \d+ is under legal hold \d+/);
  assert.match(fine(vault('holds')), /in force +counsel +case 7/);
  fine(vault('release', String(held.hold), '--reason', 'closed', '--by', 'counsel'));
  assert.match(fine(vault('holds')), /released by entry \d+/);
  assert.match(
    fine(vault(...redact)),
    /was taken out, under entry \d+\n$/,
    'nothing of it is left in intake either',
  );
  await until('the index is rid of it', () => search(state, 'password').hits.length === 0);
  await until('no file has it', () => filesWith(state.root, 'correcthorse').length === 0);
  assert.match(
    search(state, '').answer.completeness.detail,
    new RegExp(`line ${address} was redacted under entry`),
  );
  for (const neighbour of neighbours)
    assert.match(fine(vault('prove', neighbour)), /^c2sp.org\/tlog-proof@v1/);
  assert.equal(vault('prove', address).status, 3);
  fine(run('index', 'rebuild', '--state', state.root));
  await until('the index is made again', () => search(state, 'after').hits.length === 1);
  assert.equal(search(state, 'password').hits.length, 0);
  fine(verify());

  // Expiry: shown first, by whom is asked, and then done.
  assert.match(fine(vault('expire', '--older-than', '1s')), /would go:[^]*--older-than 1s --by NAME --apply/);
  assert.equal(vault('expire', '--older-than', '1s', '--apply').status, 2);
  fine(vault('hold', '--entries', `${other}..${other}`, '--reason', 'case 8', '--by', 'counsel'));
  const expired = fine(vault('expire', '--older-than', '1s', '--by', 'J. Doe', '--apply'));
  assert.match(expired, new RegExp(`expired under entry \\d+: entries \\d+\\.\\.\\d+`));
  await until('the index is rid of them', () => search(state, 'after').hits.length === 0);
  await until('no file has them', () => filesWith(state.root, 'omega').length === 0);
  assert.equal(search(state, 'another').hits.length, 1, 'the hold kept it');
  const { completeness, integrity } = search(state, '').answer;
  assert.match(completeness.detail, /lines? expired under entry \d+/);
  assert.notEqual(integrity.verdict, 'altered');
  fine(verify());

  // Without an entry nothing may be missing.
  await up.interrupt();
  const segment = join(state.vault, 'segment', `${other.padStart(3, '0')}.zst`);
  const bytes = readFileSync(segment);
  rmSync(segment);
  assert.equal(verify().status, 1);
  assert.match(verify().stdout, new RegExp(`${other.padStart(3, '0')}\\.zst`));
  writeFileSync(segment, bytes);
  fine(verify());
  const nobody = vault('release', '1', '--reason', 'r', '--by', 'b');
  assert.equal(nobody.status, 3);
  assert.match(nobody.stderr, /no keeper runs/);
});
