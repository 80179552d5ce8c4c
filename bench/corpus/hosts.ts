import { programs, type Program } from './programs.ts';

/** One source of lines: a program on a host. `pid` is its PROCID, the same throughout. */
export type Speaker = { host: string; program: Program; pid: string };

/** How large a share of a host's lines each program has. */
type Shares = Readonly<Record<string, number>>;

const roles: readonly { prefix: string; hosts: number; shares: Shares }[] = [
  { prefix: 'web', hosts: 12, shares: { nginx: 10, orders: 3, sshd: 2, CRON: 1, systemd: 1 } },
  { prefix: 'app', hosts: 10, shares: { orders: 7, billing: 6, sshd: 2, CRON: 1, systemd: 1 } },
  { prefix: 'db', hosts: 4, shares: { postgres: 14, sshd: 2, CRON: 1, systemd: 1 } },
  { prefix: 'mail', hosts: 4, shares: { dovecot: 8, rspamd: 5, sshd: 2, CRON: 1, systemd: 1 } },
  { prefix: 'edge', hosts: 6, shares: { kernel: 7, haproxy: 8, sshd: 2, systemd: 1 } },
  { prefix: 'ns', hosts: 4, shares: { named: 13, sshd: 2, CRON: 1, systemd: 1 } },
];

/** Forty hosts with four or five programs each. @returns one element per share of the lines */
export const speakers = (): readonly Speaker[] => {
  const all: Speaker[] = [];
  let pid = 612;
  for (const role of roles) {
    for (let n = 1; n <= role.hosts; n += 1) {
      const host = `${role.prefix}-${String(n).padStart(2, '0')}`;
      for (const [name, share] of Object.entries(role.shares)) {
        const program = programs[name];
        if (program === undefined) throw new RangeError(`no program '${name}' in the corpus`);
        pid = ((pid * 31 + 977) % 32_000) + 300;
        const speaker: Speaker = { host, program, pid: name === 'kernel' ? '-' : String(pid) };
        for (let i = 0; i < share; i += 1) all.push(speaker);
      }
    }
  }
  return all;
};
