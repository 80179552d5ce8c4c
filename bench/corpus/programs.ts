import type { Random } from './random.ts';

/** A program as it writes to syslog: RFC 5424 APP-NAME, PRI (facility × 8 + severity) and what it says. */
export type Program = { name: string; pri: number; messages: readonly ((r: Random) => string)[] };

const users = [
  'alice',
  'bob',
  'carol',
  'deploy',
  'backup',
  'postgres',
  'www-data',
  'root',
  'admin',
  'jenkins',
  'oracle',
];
const paths = [
  '/', '/login', '/api/v1/orders', '/api/v1/customers/search', '/static/app.3f9c1d.js', '/static/site.css',
  '/favicon.ico', '/images/banner-summer.webp', '/api/v1/basket/items', '/checkout/payment', '/robots.txt',
]; // prettier-ignore
const tables = ['orders', 'customers', 'payments', 'basket_items', 'invoices', 'shipments', 'sessions'];
const events = [
  'payment accepted', 'basket updated', 'stock reserved', 'invoice written', 'mail queued', 'address verified',
  'session expired', 'retry scheduled', 'voucher redeemed', 'shipment announced', 'customer created',
]; // prettier-ignore
const names = [
  'example.net',
  'example.org',
  'mx.example.com',
  'ntp.example.net',
  'api.example.com',
  'cdn.example.org',
];
const units = [
  'logrotate.service',
  'apt-daily.service',
  'fstrim.service',
  'man-db.service',
  'session-42.scope',
];

const ip = (r: Random): string =>
  `${r.pick(['192.0.2', '198.51.100', '203.0.113', '10.20.30'])}.${r.below(254) + 1}`;
const port = (r: Random): number => 1024 + r.below(64_000);
const hex = (r: Random): string =>
  r
    .below(2 ** 32)
    .toString(16)
    .padStart(8, '0');
const ms = (r: Random): string => `${r.below(900)}.${String(r.below(1000)).padStart(3, '0')}`;

const program = (name: string, pri: number, messages: Program['messages']): [string, Program] => [
  name,
  { name, pri, messages },
];

/** What is said in real logs of these programs, by shape and length; addresses and names are reserved ones. */
export const programs: Readonly<Record<string, Program>> = Object.fromEntries([
  program('sshd', 38, [
    (r) =>
      `Accepted publickey for ${r.pick(users)} from ${ip(r)} port ${port(r)} ssh2: ED25519 SHA256:${hex(r)}${hex(r)}${hex(r)}${hex(r)}${hex(r)}`,
    (r) => `Failed password for invalid user ${r.pick(users)} from ${ip(r)} port ${port(r)} ssh2`,
    (r) => `Connection closed by authenticating user ${r.pick(users)} ${ip(r)} port ${port(r)} [preauth]`,
    (r) =>
      `pam_unix(sshd:session): session opened for user ${r.pick(users)}(uid=${1000 + r.below(40)}) by (uid=0)`,
  ]),
  program('nginx', 190, [
    (r) =>
      `${ip(r)} - - "GET ${r.pick(paths)} HTTP/1.1" 200 ${r.below(90_000)} "-" "Mozilla/5.0 (X11; Linux x86_64; rv:128.0)" rt=0.${r.below(1000)}`,
    (r) =>
      `${ip(r)} - - "POST ${r.pick(paths)} HTTP/2.0" ${r.pick(['201', '302', '400', '403'])} ${r.below(2000)} "https://shop.example.net/basket" "curl/7.88.1" rt=0.${r.below(1000)}`,
    (r) =>
      `${ip(r)} - ${r.pick(users)} "GET ${r.pick(paths)}?page=${r.below(500)} HTTP/1.1" ${r.pick(['200', '304', '404', '499', '502'])} ${r.below(50_000)} "https://shop.example.net/" "Mozilla/5.0" rt=0.${r.below(1000)}`,
  ]),
  program('postgres', 134, [
    (r) =>
      `[${r.below(900)}-1] LOG:  duration: ${ms(r)} ms  statement: SELECT id, updated_at FROM ${r.pick(tables)} WHERE customer = $1 LIMIT ${r.below(100)}`,
    (r) =>
      `[${r.below(900)}-1] LOG:  duration: ${ms(r)} ms  execute <unnamed>: UPDATE ${r.pick(tables)} SET state = $1 WHERE id = $2`,
    (r) =>
      `[${r.below(900)}-1] LOG:  checkpoint complete: wrote ${r.below(9000)} buffers (${r.below(40)}.${r.below(10)}%); write=${ms(r)} s, sync=0.0${r.below(90)} s`,
  ]),
  program('kernel', 4, [
    (r) =>
      `[UFW BLOCK] IN=eth0 OUT= SRC=${ip(r)} DST=${ip(r)} LEN=${40 + r.below(1400)} TTL=${r.below(64)} ID=${r.below(65_536)} PROTO=TCP SPT=${port(r)} DPT=${r.pick(['22', '23', '445', '3389', '8080'])}`,
    (r) =>
      `TCP: request_sock_TCP: Possible SYN flooding on port ${r.pick(['80', '443'])}. Sending cookies.  Check SNMP counters.`,
  ]),
  program('orders', 134, [
    (r) =>
      `level=info service=orders msg="${r.pick(events)}" order=${100_000 + r.below(900_000)} customer=${r.below(90_000)} took=${ms(r)}ms trace=${hex(r)}${hex(r)}`,
    (r) =>
      `level=info service=orders msg="${r.pick(events)}" queue=${r.pick(tables)} depth=${r.below(400)} worker=${r.below(16)} trace=${hex(r)}${hex(r)}`,
    (r) =>
      `level=warn msg="${r.pick(events)} slowly" order=${100_000 + r.below(900_000)} attempt=${1 + r.below(5)} upstream=${ip(r)}:8443 trace=${hex(r)}`,
  ]),
  program('billing', 134, [
    (r) =>
      `INFO  [http-nio-8080-exec-${1 + r.below(40)}] com.example.billing.Ledger - ${r.pick(events)} for account ${10_000 + r.below(80_000)}, amount ${r.below(900)}.${10 + r.below(90)} EUR`,
    (r) =>
      `WARN  [http-nio-8080-exec-${1 + r.below(40)}] com.example.billing.Gateway - ${r.pick(names)} answered 503 after ${r.below(9000)} ms, attempt ${1 + r.below(5)} of 5`,
  ]),
  program('dovecot', 22, [
    (r) =>
      `imap-login: Login: user=<${r.pick(users)}>, method=PLAIN, rip=${ip(r)}, lip=${ip(r)}, mpid=${r.below(32_000)}, TLS`,
    (r) =>
      `imap(${r.pick(users)})<${r.below(32_000)}><${hex(r)}>: Disconnected: Logged out in=${r.below(9000)} out=${r.below(90_000)} deleted=0`,
  ]),
  program('rspamd', 22, [
    (r) =>
      `<${hex(r)}>; task; rspamd_task_write_log: id: <${hex(r)}@${r.pick(names)}>, ip: ${ip(r)}, (default: F (no action): [${r.below(5)}.${r.below(100)}/15.00])`,
  ]),
  program('haproxy', 150, [
    (r) =>
      `${ip(r)}:${port(r)} [12/May/2026:03:00:00.${100 + r.below(900)}] https~ web/web-0${1 + r.below(9)} 0/0/${r.below(9)}/${r.below(300)}/${r.below(400)} 200 ${r.below(70_000)} - - ---- ${r.below(200)}/${r.below(90)}/0/0/0 0/0`,
  ]),
  program('named', 30, [
    (r) =>
      `client @0x${hex(r)} ${ip(r)}#${port(r)} (${r.pick(names)}): query: ${r.pick(names)} IN ${r.pick(['A', 'AAAA', 'MX', 'TXT'])} +E(0)K (${ip(r)})`,
    (r) => `lame server resolving '${r.pick(names)}' (in '${r.pick(names)}'?): ${ip(r)}#53`,
  ]),
  program('CRON', 78, [
    (r) => `(${r.pick(users)}) CMD (   cd / && run-parts --report /etc/cron.hourly)`,
    (r) => `pam_unix(cron:session): session closed for user ${r.pick(users)}`,
  ]),
  program('systemd', 30, [
    (r) => `Starting ${r.pick(units)} - run by timer, job ${r.below(90_000)}...`,
    (r) =>
      `${r.pick(units)}: Deactivated successfully. Consumed ${r.below(9)}.${100 + r.below(900)}s CPU time.`,
  ]),
]);
