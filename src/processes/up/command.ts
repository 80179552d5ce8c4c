import type { Command } from '#cli';
import { defaults } from './defaults.ts';

export const upFlags: NonNullable<Command['flags']> = [
  {
    flags: '--listen <kind=host:port>',
    description: `where the receiver listens; repeat it for more (default: ${defaults.listen.join(' ')})`,
    repeats: true,
  },
  {
    flags: '--allow <network>',
    description:
      'an address or a network (192.0.2.0/24) that may speak to the listeners, besides this machine; repeat it for more',
    repeats: true,
  },
  {
    flags: '--allow-name <name>',
    description:
      'a name in certificates (* for any characters) that may speak over TLS; repeat it for more (default: all that the own authority has certified)',
    repeats: true,
  },
  {
    flags: '--certificates <required|optional>',
    description:
      'whether whoever speaks TLS must show a certificate; where it is optional, --allow names who may do without (default: required)',
  },
  {
    flags: '--tls-name <name>',
    description:
      'a name or address by which senders know this host over TLS, besides its own; repeat it for more',
    repeats: true,
  },
  {
    flags: '--limit <name=number>',
    description:
      'what one sender, known by its address, may take at most: connections at a time (default: half of all), connects (new ones a second; default: 500), datagrams (a second; default: no limit); repeat it for more',
    repeats: true,
  },
  {
    flags: '--console <host:port>',
    description: `where the console listens (default: ${defaults.console})`,
  },
  {
    flags: '--publish <host:port>',
    description:
      'where checkpoints, tiles and proofs are published over HTTP, for witnesses elsewhere; never a line (default: on a unix socket alone)',
  },
  {
    flags: '--witness <vkey[=url]>',
    description:
      'a witness that cosigns checkpoints: its key, and where it takes them if it does not fetch them itself; repeat it for more',
    repeats: true,
  },
  {
    flags: '--witness-quorum <k>',
    description: 'how many cosignatures make a checkpoint witnessed (default: of more than half)',
  },
  {
    flags: '--timestamp-authority <url>',
    description: 'have the newest checkpoint stamped every hour by this authority (RFC 3161)',
  },
  {
    flags: '--index-memory <mib>',
    description: `memory that the indexer may take, search included, in MiB, from 896 on (default: ${defaults.indexMemory})`,
  },
  {
    flags: '--index-url <url>',
    description:
      'keep the index on a ClickHouse server or cluster: https://USER@HOST:8443/DATABASE?cluster=NAME (default: in the indexer’s own process)',
  },
  {
    flags: '--index-password-file <file>',
    description: 'the password for --index-url, which the indexer’s user must be able to read',
  },
  {
    flags: '--index-ca <file>',
    description: 'certificates of the authorities that certify the servers of --index-url, PEM',
  },
  { flags: '--no-agent', description: 'do not read this host’s own logs' },
  {
    flags: '--config <file>',
    description:
      'a TOML file with the keys listen, allow, allow-name, certificates, tls-name, limit, console, agent, publish, witness, witness-quorum, timestamp-authority, index-memory, index-url, index-password-file, index-ca; flags win over it',
  },
];

export const up: Command = {
  name: 'up',
  summary: 'run everything on this machine: receiver, keeper, indexer, publisher, console and a local agent',
  flags: upFlags,
  examples: [
    'holdfast up',
    'holdfast up --listen syslog-tcp=127.0.0.1:5514 --listen syslog-udp=127.0.0.1:5514 --console 127.0.0.1:8600',
    'holdfast up --state ~/holdfast-state --listen syslog-tcp=127.0.0.1:0 --console 127.0.0.1:0 --no-agent',
    'holdfast up --publish 127.0.0.1:8650',
  ],
  async run(context, _args, flags) {
    // Loaded only here, so that every other command starts without it.
    const { runUp } = await import('./run.ts');
    return runUp(context, flags);
  },
};
