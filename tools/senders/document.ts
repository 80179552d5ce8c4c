import { snippets, usualPort, type Target, type Way } from '../../src/cli/hosts/snippets/index.ts';

/** What a test saw a real program do, sent by a configuration of ours. */
export type Seen = {
  /** As in `holdfast hosts snippet`. */
  sender: string;
  way: string;
  /** The program and its version. */
  program: string;
  /** What came of it, in words that do not differ from run to run. */
  result: string;
};

export const documentFile = 'docs/senders.md';

const example = (way: Way): Target => ({
  host: 'log.example',
  port: usualPort[way.kind],
  files: '/etc/holdfast',
});

const head = `# Senders

What to write on a host so that it sends to Holdfast. Each configuration below is what \`holdfast hosts snippet\` prints, for
\`log.example\` as the host that runs Holdfast; the tests have run the real program with it (\`test/senders\`), and what came
of it stands in the table. This page is made by \`tools/senders/write.ts\`, and a test keeps it true.

\`\`\`sh
holdfast hosts snippet rsyslog
holdfast hosts snippet rsyslog --transport tls --server log.example --files /etc/holdfast
\`\`\`

Where there is a choice, take the first way that is named: it loses least. Plain syslog has no acknowledgement, over TCP
neither: what is on its way when a connection breaks is lost, and nobody is told. syslog-ng over TCP or TLS notices a
closed connection only when it writes, and that one line is lost even with a reliable disk buffer, since the protocol has no
acknowledgement. RELP, HTTP and the agent are answered after fsync. What RELP brings again after a lost
answer is kept twice and marked \`possible_redelivery\`; after a restart of Holdfast that is at most the 128 messages that
omrelp sends ahead: with a larger \`windowSize\`, copies beyond these are not marked. Beyond this machine nobody may speak unless \`--allow\`
names his network, or his certificate is of the log's own authority: [hosts.md](hosts.md).

## What the tests have run

| sender | way | listener | program | what came of it |
|---|---|---|---|---|
`;

const rowOf = ({ sender, way, program, result }: Seen): string =>
  `| ${sender} | ${way} | \`${kindOf(sender, way)}\` | ${program} | ${result} |`;

const kindOf = (sender: string, way: string): string =>
  snippets.find(({ name }) => name === sender)?.ways[way]?.kind ?? '?';

const section = (name: string): string => {
  const snippet = snippets.find((one) => one.name === name);
  if (snippet === undefined) return '';
  const { title, file, activate, packages, ways } = snippet;
  const where = file === null ? '' : `Into \`${file}\`${activate === null ? '' : `, then \`${activate}\``}. `;
  const needs =
    packages.length === 0 ? '' : `Debian packages: ${packages.map((one) => `\`${one}\``).join(', ')}.`;
  const parts = Object.entries(ways).map(
    ([way, one]) =>
      `**${way}** (\`--listen ${one.kind}=ADDRESS:${usualPort[one.kind]}\`): ${one.promise}.\n\n\`\`\`text\n${one.write(example(one))}\`\`\`\n`,
  );
  return `## ${title}\n\n${`${where}${needs}`.trim()}\n\n${parts.join('\n')}`.replace(/\n{3,}/g, '\n\n');
};

const order = snippets.flatMap(({ name, ways }) => Object.keys(ways).map((way) => `${name} ${way}`));

/** The whole page. */
export const renderDocument = (seen: readonly Seen[]): string => {
  const rows = seen.toSorted(
    (a, b) => order.indexOf(`${a.sender} ${a.way}`) - order.indexOf(`${b.sender} ${b.way}`),
  );
  return `${head}${rows.map(rowOf).join('\n')}\n\n${snippets.map(({ name }) => section(name)).join('\n')}`;
};

/** The rows of the table as the page has them. */
export const rowsOf = (document: string): Seen[] =>
  [...document.matchAll(/^\| ([a-z-]+) \| ([a-z-]+) +\| `[a-z-]+` +\| (.*?) +\| (.*?) +\|$/gm)].map(
    ([, sender = '', way = '', program = '', result = '']) => ({ sender, way, program, result }),
  );
