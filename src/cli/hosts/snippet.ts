import { hostname } from 'node:os';
import { text, type Command, type Context } from '../command.ts';
import { CliError } from '../errors.ts';
import { Exit } from '../exit.ts';
import { jsonLine } from '../json-line.ts';
import { snippets, usualPort, type Snippet, type Target, type Way } from './snippets/index.ts';

const names = snippets.map(({ name }) => name).join('|');

export const hostsSnippet: Command = {
  name: 'hosts snippet',
  summary: 'what to write on a sender so that it sends here',
  arguments: `<${names}>`,
  flags: [
    {
      flags: '--transport <name>',
      description: 'how it is to send, where there is a choice (default: the best)',
    },
    {
      flags: '--server <host>',
      description: 'name or address of this host as senders see it (default: its name)',
    },
    { flags: '--port <port>', description: 'where the listener is (default: the usual port of its kind)' },
    {
      flags: '--files <directory>',
      description: 'where the sender has authority.crt, client.crt and client.key',
      default: '/etc/holdfast',
    },
  ],
  examples: [
    'holdfast hosts snippet rsyslog',
    'holdfast hosts snippet rsyslog --transport tls --server log.example --port 6514',
    'holdfast hosts snippet journald --server log.example',
  ],
  async run(context, args, flags) {
    const snippet = snippets.find(({ name }) => name === args[0]);
    if (snippet === undefined)
      throw new CliError('usage', `no sender '${args[0] ?? ''}'. There are: ${names}`);
    const [transport, way] = wayOf(snippet, text(flags, 'transport'));
    const target: Target = {
      host: text(flags, 'server') ?? hostname(),
      port: portOf(text(flags, 'port')) ?? usualPort[way.kind],
      files: text(flags, 'files') ?? '/etc/holdfast',
    };
    return print(context, snippet, transport, way, target);
  },
};

const wayOf = ({ name, ways }: Snippet, wanted: string | undefined): [transport: string, way: Way] => {
  const found = Object.entries(ways).find(([transport]) => wanted === undefined || transport === wanted);
  if (found !== undefined) return found;
  throw new CliError(
    'usage',
    `--transport: ${name} has no '${wanted}'. There are: ${Object.keys(ways).join(', ')}`,
  );
};

const portOf = (given: string | undefined): number | null => {
  if (given === undefined) return null;
  const port = /^\d{1,5}$/.test(given) ? Number(given) : 0;
  if (port < 1 || port > 65_535) throw new CliError('usage', `--port: '${given}' is no port`);
  return port;
};

/** What goes into the file alone on standard output, so that it can be redirected; the rest is said beside it. */
const print = (
  { io, json }: Context,
  snippet: Snippet,
  transport: string,
  way: Way,
  target: Target,
): Exit => {
  const { title, file, activate, packages } = snippet;
  const config = way.write(target);
  if (json) {
    io.out(
      jsonLine({
        sender: snippet.name,
        transport,
        kind: way.kind,
        file,
        activate,
        packages,
        promise: way.promise,
        config,
      }),
    );
    return Exit.done;
  }
  io.err(`# ${title}, ${transport}: ${way.promise}.\n`);
  io.err(
    `# Here: holdfast up --listen ${way.kind}=ADDRESS:${target.port} (and --allow, where no certificate is shown)\n`,
  );
  if (packages.length > 0) io.err(`# There: apt-get install ${packages.join(' ')}\n`);
  if (file !== null) io.err(`# Into ${file}${activate === null ? '' : `, then: ${activate}`}\n`);
  io.out(config);
  return Exit.done;
};
