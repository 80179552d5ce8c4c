import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { messageOf } from '#base/errors';
import type { Certified } from '#wire/pki';
import { text, type Command, type Context, type Flags } from '../command.ts';
import { CliError } from '../errors.ts';
import { Exit } from '../exit.ts';
import { jsonLine } from '../json-line.ts';
import { askedBy, askIssuer, explained, nameOf } from './issuer.ts';
import { placeOf } from './place.ts';

export const hostsEnrol: Command = {
  name: 'hosts enrol',
  summary: 'get a certificate for a host: on that host with --server and a token, or here for any sender',
  arguments: '[name]',
  flags: [
    {
      flags: '--server <host:port>',
      description: 'ask the Holdfast there (its https listener) for a certificate of this host',
    },
    {
      flags: '--fingerprint <sha256:hex>',
      description: "of its authority, as 'holdfast hosts token' said there",
    },
    {
      flags: '--token-file <file>',
      description: 'where the token is; - is standard input (default: $HOLDFAST_TOKEN)',
    },
    {
      flags: '--csr <file>',
      description: 'certify the key of this certificate signing request (PEM) instead of making one',
    },
    {
      flags: '--out <directory>',
      description:
        'where client.key, client.crt and authority.crt go (default: pki/ of the state directory; here: ./NAME)',
    },
    { flags: '--by <name>', description: 'who asks, for the log (default: who is logged in)' },
  ],
  examples: [
    'holdfast hosts enrol web1.example --out ~/web1.example',
    'holdfast hosts enrol web1.example --server log.example:8443 --fingerprint sha256:0f3a --token-file /srv/token',
    'holdfast hosts enrol switch7.example --csr /srv/switch7.csr',
  ],
  async run(context, args, flags) {
    const server = text(flags, 'server');
    return server === undefined
      ? enrolHere(context, args[0], flags)
      : enrolThere(context, args[0], flags, server);
  },
};

/** This host asks another one. */
const enrolThere = async (
  context: Context,
  name: string | undefined,
  flags: Flags,
  server: string,
): Promise<Exit> => {
  const place = placeOf('--server', server);
  const fingerprint = (text(flags, 'fingerprint') ?? '').toLowerCase();
  const token = await tokenOf(context, text(flags, 'tokenFile'));
  if (!/^sha256:[0-9a-f]{64}$/.test(fingerprint))
    throw new CliError(
      'usage',
      "--fingerprint: sha256: and 64 hexadecimal digits, as 'holdfast hosts token' said: without it anybody could pass for the server",
    );
  const directory = resolve(text(flags, 'out') ?? context.state.pki);
  const { enrolHost, hostFiles } = await import('#pki/host');
  const granted = await explained(() =>
    enrolHost(directory, { server: place, fingerprint, token, name: nameOf(name ?? hostname()) }),
  );
  tell(context, granted, Object.values(hostFiles(directory)).slice(0, 3));
  return Exit.done;
};

/** The issuer of this state directory certifies a key that is made here, or that somebody else has. */
const enrolHere = async (context: Context, given: string | undefined, flags: Flags): Promise<Exit> => {
  const { state, io, json } = context;
  const name = nameOf(given);
  const host = await import('#pki/host');
  const csrFile = text(flags, 'csr');
  const key = host.newKey();
  const csr =
    csrFile === undefined
      ? await host.makeSigningRequest(key, name)
      : host.requestDer(read('--csr', csrFile));
  if (csr === null) throw new CliError('usage', `--csr: ${csrFile} is no certificate signing request in PEM`);
  const answer = await askIssuer(state, {
    kind: 'sign',
    name,
    csr: csr.toString('base64'),
    by: askedBy(flags),
  });
  if (answer.kind !== 'certified') throw new CliError('refused', 'the issuer answered something else');
  const { certified } = answer;
  const out = text(flags, 'out');
  if (csrFile !== undefined && out === undefined) {
    io.out(json ? jsonLine({ ...certified, files: [] }) : `${certified.certificate}${certified.authority}`);
    return Exit.done;
  }
  const files = host.hostFiles(resolve(out ?? name));
  await explained(() => {
    if (csrFile === undefined) host.writeHostFile(files.key, key, 0o600);
    host.writeHostFile(files.certificate, certified.certificate, 0o644);
    host.writeHostFile(files.authority, certified.authority, 0o644);
  });
  tell(context, certified, [
    ...(csrFile === undefined ? [files.key] : []),
    files.certificate,
    files.authority,
  ]);
  if (!json)
    io.out(
      `Bring them to the sender, the key over a way that nobody else sees, and remove it here. Then: holdfast hosts snippet rsyslog --transport tls\n`,
    );
  return Exit.done;
};

const tell = (
  { io, json }: Context,
  { certificate: _, authority: __, ...granted }: Certified,
  files: readonly string[],
): void =>
  io.out(
    json
      ? jsonLine({ ...granted, files })
      : `${granted.name} has a certificate until ${granted.expires} (serial ${granted.serial}):\n${files.map((file) => `  ${file}\n`).join('')}`,
  );

const tokenOf = async ({ io }: Context, file: string | undefined): Promise<string> => {
  if (file === undefined) {
    const given = process.env['HOLDFAST_TOKEN'];
    if (given !== undefined && given !== '') return given;
    throw new CliError(
      'usage',
      'say where the token is: --token-file FILE, --token-file - or $HOLDFAST_TOKEN',
    );
  }
  if (file !== '-') return read('--token-file', file);
  if (process.stdin.isTTY) io.err('Token: ');
  const lines = createInterface({ input: process.stdin });
  try {
    for await (const line of lines) return line;
    return '';
  } finally {
    lines.close();
  }
};

const read = (flag: string, path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new CliError('could-not-look', `${flag}: ${messageOf(error)}`, { cause: error });
  }
};
