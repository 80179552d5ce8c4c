import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { alertName, notifyTarget, type NotifyTarget } from '#wire/alert';
import { isThisMachine, webhookAddress } from '#wire/webhook-address';
import { parseDuration } from './duration.ts';

const duration = z.string().transform((text, context) => {
  const seconds = parseDuration(text);
  if (seconds !== null && seconds > 0) return seconds;
  context.addIssue(`'${text}' is no length of time: 30s, 5m, 2h, 3d or 1w`);
  return z.NEVER;
});
const mailbox = z.string().regex(/^[^\s@<>,;:"]+@[^\s@<>,;:"]+$/, 'no address like root@example.net');

/** `[[notify]]` of the configuration file: one of `email`, `webhook` and `command`, and what goes with it. */
export const notifyTable = z.strictObject({
  name: alertName,
  /** Addresses that mail goes to, each by itself. */
  email: z.union([mailbox, z.array(mailbox).min(1)]).optional(),
  /** The sender's address; left out: `holdfast@` and the name of this host. */
  from: mailbox.optional(),
  /** `smtp://HOST[:PORT]` (STARTTLS or nothing; plain to this machine alone, without user and ca-file) or `smtps://…`. */
  server: z.string().optional(),
  /** The user that logs in, with the password in `password-file`. */
  user: z.string().optional(),
  /** A file that the courier may read; a name without `/` is a credential of its systemd unit. */
  'password-file': z.string().optional(),
  /** Where notifications are posted to, as JSON; where the address itself is a secret, a file as `password-file`. */
  webhook: z.string().optional(),
  /** A file with the key of the signature that goes with each; as `password-file`. */
  'secret-file': z.string().optional(),
  /** Certificates (PEM) that the server's must come from; left out: those that Node trusts. */
  'ca-file': z.string().optional(),
  /** A program and its arguments, which is given the notification as JSON on its standard input. */
  command: z.array(z.string()).min(1).optional(),
  /** How long webhook and command may take; 15s if left out. */
  timeout: duration.optional(),
  /** After how long a delivery that does not succeed is given up; 3d if left out. */
  'give-up': duration.optional(),
});
type NotifyTable = z.infer<typeof notifyTable>;

const threeDays = 3 * 86_400;

/**
 * Whom a table means, and how they are told.
 * @param fail ends it with what is wrong, in words
 * @throws what `fail` throws
 */
export const targetOf = (
  table: NotifyTable,
  hostname: string,
  fail: (message: string) => never,
): NotifyTarget => {
  const wrong = (message: string): never => fail(`notify "${table.name}": ${message}`);
  const kinds = (['email', 'webhook', 'command'] as const).filter((key) => table[key] !== undefined);
  if (kinds.length !== 1) return wrong('it takes one of email, webhook and command');
  const foreign = (Object.keys(table) as (keyof NotifyTable)[]).filter(
    (key) => !['name', 'give-up', ...keysOf[kinds[0] ?? 'email']].includes(key),
  );
  if (foreign.length > 0) return wrong(`${foreign.join(', ')} says nothing of ${kinds[0] ?? ''}`);
  return notifyTarget.parse({
    name: table.name,
    giveUp: table['give-up'] ?? threeDays,
    how: howOf(table, hostname, wrong),
  });
};

const keysOf = {
  email: ['email', 'from', 'server', 'user', 'password-file', 'ca-file'],
  webhook: ['webhook', 'secret-file', 'ca-file', 'timeout'],
  command: ['command', 'timeout'],
} as const satisfies Record<string, readonly (keyof NotifyTable)[]>;

const howOf = (
  table: NotifyTable,
  hostname: string,
  wrong: (message: string) => never,
): NotifyTarget['how'] => {
  const timeout = table.timeout ?? 15;
  if (table.email !== undefined) {
    const { user, 'password-file': passwordFile } = table;
    if ((user === undefined) !== (passwordFile === undefined))
      return wrong('user and password-file go together');
    const isPlainEnough = user === undefined && table['ca-file'] === undefined;
    const server = serverOf(table.server ?? 'smtp://localhost:25', isPlainEnough, wrong);
    return {
      by: 'email',
      ...server,
      from: table.from ?? `holdfast@${hostname}`,
      to: typeof table.email === 'string' ? [table.email] : table.email,
      user: user ?? null,
      passwordFile: passwordFile ?? null,
      caFile: table['ca-file'] ?? null,
    };
  }
  if (table.webhook !== undefined)
    return {
      by: 'webhook',
      url: table.webhook.includes('://') ? webhookUrl(table.webhook, wrong) : table.webhook,
      secretFile: table['secret-file'] ?? null,
      caFile: table['ca-file'] ?? null,
      timeout,
    };
  const argv = table.command ?? [];
  if (!isAbsolute(argv[0] ?? ''))
    return wrong(
      `command: '${argv[0] ?? ''}' is no absolute path; there is no shell, and no PATH is searched`,
    );
  return { by: 'command', argv, timeout };
};

const serverOf = (
  text: string,
  isPlainEnough: boolean,
  wrong: (message: string) => never,
): { host: string; port: number; tls: 'implicit' | 'starttls' | 'none' } => {
  const url = URL.parse(text);
  if (url === null || !['smtp:', 'smtps:'].includes(url.protocol) || url.hostname === '' || hasMore(url))
    return wrong(`server: '${text}' is not smtp://HOST[:PORT] or smtps://HOST[:PORT]`);
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const implicit = url.protocol === 'smtps:';
  const port = url.port === '' ? (implicit ? 465 : isThisMachine(host) ? 25 : 587) : Number(url.port);
  return {
    host,
    port,
    tls: implicit ? 'implicit' : isPlainEnough && isThisMachine(host) ? 'none' : 'starttls',
  };
};

/** What stands on a command line is no secret, so no address may have one. */
const hasMore = (url: URL): boolean =>
  url.username !== '' ||
  url.password !== '' ||
  !['', '/'].includes(url.pathname) ||
  url.search !== '' ||
  url.hash !== '';

const webhookUrl = (text: string, wrong: (message: string) => never): string => {
  const address = webhookAddress(text);
  return 'wrong' in address ? wrong(`webhook: '${text}' ${address.wrong}`) : address.url.href;
};
