import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { messageOf } from '#base/errors';
import { printable } from '#base/printable';
import { answer, hit } from '#wire/search';
import { text, type Command } from '../command.ts';
import { CliError } from '../errors.ts';
import { Exit } from '../exit.ts';
import { jsonLine } from '../json-line.ts';
import { callSearch } from '../search-socket.ts';

/** What the courier says of a time stamp. Its bytes come from the authority: nothing of it is checked here. */
const timestampLine = z.object({
  size: z.int().min(0),
  note: z.string().max(4096),
  token: z.base64().max(100_000),
  authority: z.string(),
});

/** The most lines that one search gives. */
const mostStamps = 10_000;

type Stamped = { address: string; received: string } & z.infer<typeof timestampLine>;

export const vaultTimestamps: Command = {
  name: 'vault timestamps',
  summary: 'the time stamps (RFC 3161) over checkpoints; with --out, as files that openssl ts verifies',
  flags: [
    { flags: '--out <directory>', description: 'write each checkpoint and its token into this directory' },
  ],
  examples: ['holdfast vault timestamps', 'holdfast vault timestamps --out ~/timestamps'],
  async run({ io, state, json }, _args, flags) {
    const found: Stamped[] = [];
    const asked = { query: 'app:holdfast kind=timestamp', limit: mostStamps };
    let matching = 0;
    for await (const line of callSearch(state, 'POST', '/search', asked)) {
      const end = answer.safeParse(line);
      if (end.success) matching = end.data.answer.count;
      const one = hit.safeParse(line);
      if (!one.success) continue;
      const said = timestampLine.safeParse(parsed(Buffer.from(one.data.raw, 'base64').toString('utf8')));
      // Whoever may write to our own socket may write such a line.
      if (said.success) found.push({ address: one.data.address, received: one.data.received, ...said.data });
    }
    const out = text(flags, 'out');
    if (out !== undefined) write(resolve(out), found);
    if (json) io.out(jsonLine(found.map(({ token: _token, note: _note, ...rest }) => rest)));
    else if (found.length === 0)
      io.out('No time stamps: none was asked for (holdfast up --timestamp-authority URL), or none came.\n');
    else
      for (const { size, received, authority, address } of found)
        io.out(`size ${size}, received ${received} from ${printable(authority)}, line ${address}\n`);
    if (matching > mostStamps)
      io.err(
        `These are the newest ${mostStamps} of ${matching}: the older ones are lines of the log too, holdfast logs search 'app:holdfast kind=timestamp until:${found[0]?.received ?? 'TIME'}' --json\n`,
      );
    if (out !== undefined && found.length > 0)
      io.err(
        `Verify one with: openssl ts -verify -data SIZE.checkpoint -in SIZE.token -token_in -CAfile AUTHORITY.pem\n`,
      );
    return Exit.done;
  },
};

const parsed = (line: string): unknown => {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
};

const write = (directory: string, found: readonly Stamped[]): void => {
  try {
    mkdirSync(directory, { recursive: true });
    for (const { size, note, token } of found) {
      writeFileSync(join(directory, `${size}.checkpoint`), note);
      writeFileSync(join(directory, `${size}.token`), Buffer.from(token, 'base64'));
    }
  } catch (error) {
    throw new CliError('usage', `could not write to ${directory}: ${messageOf(error)}`, { cause: error });
  }
};
