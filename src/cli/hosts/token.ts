import type { StateDirectory } from '#base/state';
import { newToken } from '#pki/token';
import { text, type Command } from '../command.ts';
import { CliError } from '../errors.ts';
import { Exit } from '../exit.ts';
import { jsonLine } from '../json-line.ts';
import { askedBy, askIssuer, nameOf, readBook } from './issuer.ts';
import { parsePlace, readReady, shownPlace } from './place.ts';

export const hostsToken: Command = {
  name: 'hosts token',
  summary: 'a token by which one host may ask for its certificate, once',
  arguments: '<name>',
  flags: [
    { flags: '--valid <time>', description: 'how long it is good: 30m, 1h, 7d', default: '1h' },
    {
      flags: '--server <host:port>',
      description: 'where that host reaches the https listener of this one (default: as it listens)',
    },
    { flags: '--by <name>', description: 'who asks, for the log (default: who is logged in)' },
  ],
  examples: ['holdfast hosts token web1.example', 'holdfast hosts token web1.example --valid 7d'],
  async run({ io, state, json }, args, flags) {
    const name = nameOf(args[0]);
    const validSeconds = secondsOf(text(flags, 'valid') ?? '1h');
    const { id, text: token, publicKey } = newToken();
    const server = text(flags, 'server') ?? (await listensAt(state));
    const answer = await askIssuer(state, {
      kind: 'token',
      token: id,
      publicKey,
      name,
      validSeconds,
      by: askedBy(flags),
    });
    if (answer.kind !== 'token') throw new CliError('refused', 'the issuer answered something else');
    const { expires, fingerprint } = answer;
    const command = `holdfast hosts enrol ${name} --server ${server} --fingerprint ${fingerprint} --token-file -`;
    if (json) io.out(jsonLine({ token, name, expires, server, fingerprint, command }));
    else
      io.out(
        `${io.paint('bold', token)}\n\n` +
          `It is good once, for ${name}, until ${expires}, and is shown only now. There:\n\n  ${command}\n\n` +
          `It asks for the token: secrets belong on no command line.\n`,
      );
    return Exit.done;
  },
};

const units = { s: 1, m: 60, h: 3600, d: 86_400 } as const;
const most = 31 * 86_400;

const secondsOf = (given: string): number => {
  const [, count, unit] = /^(\d{1,7})([smhd])$/.exec(given) ?? [];
  const found = Object.entries(units).find(([name]) => name === unit);
  const seconds = Number(count ?? 0) * (found?.[1] ?? 0);
  if (seconds >= 1 && seconds <= most) return seconds;
  throw new CliError('usage', `--valid: '${given}' is no time from 1s to 31d, like 30m, 1h or 7d`);
};

/** Where the https listener is, as another host names it. */
const listensAt = async (state: StateDirectory): Promise<string> => {
  const running = readReady(state);
  const place = parsePlace(running?.receiver['https'] ?? '');
  if (place === null)
    throw new CliError(
      'not-running',
      'a host asks for its certificate over HTTPS, and nothing listens for that here. ' +
        "Start 'holdfast up' with --listen https=ADDRESS:8443, or certify it here: holdfast hosts enrol NAME --out DIRECTORY",
    );
  if (!/^(0\.0\.0\.0|::)$/.test(place.host)) return shownPlace(place);
  const name = (await readBook(state))?.server?.names[0];
  return shownPlace({ ...place, host: name ?? place.host });
};
