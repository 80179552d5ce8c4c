import { isIP, isIPv6 } from 'node:net';
import type { HostCertificate } from '#pki/book';
import { listenerKinds, readyName } from '#wire/listen';
import type { Ready } from '#wire/ready';
import { texts, type Command } from '../command.ts';
import { CliError } from '../errors.ts';
import { Exit } from '../exit.ts';
import { jsonLine } from '../json-line.ts';
import { readBook } from './issuer.ts';
import { parsePlace, readReady } from './place.ts';
import { nftRuleset, type Admission, type OpenPort } from './ruleset.ts';

export const hostsFirewall: Command = {
  name: 'hosts firewall',
  summary: 'a file for nft that lets only those who may speak reach the listeners',
  flags: [
    {
      flags: '--port <protocol/port>',
      description:
        'of a listener: tcp/6514; repeat it for more (default: those that are open beyond this machine)',
      repeats: true,
    },
    {
      flags: '--allow <network>',
      description: 'who may reach them; repeat it for more (default: as holdfast up was told)',
      repeats: true,
    },
    { flags: '--no-hosts', description: 'not the addresses from which hosts asked for their certificates' },
  ],
  examples: [
    'holdfast hosts firewall',
    'holdfast hosts firewall --port tcp/6514 --port tcp/8443 --allow 192.0.2.0/24 --allow 2001:db8::/32',
  ],
  async run({ io, state, json }, _args, flags) {
    const running = readReady(state);
    const ports = texts(flags, 'port')?.map(portOf) ?? openPorts(running, io.err);
    const networks = texts(flags, 'allow')?.map(networkOf) ?? running?.allowed.networks ?? [];
    const holders = flags['hosts'] === false ? [] : await validHolders(state);
    const hosts = holders.flatMap(({ name, address }) => (address === null ? [] : [{ name, address }]));
    const admission: Admission = { ports, networks, hosts };
    const unknown = [...new Set(holders.filter(({ address }) => address === null).map(({ name }) => name))];
    if (json) {
      io.out(jsonLine({ ...admission, withoutAddress: unknown, ruleset: nftRuleset(admission) }));
      return Exit.done;
    }
    io.out(nftRuleset(admission));
    if (networks.length + hosts.length === 0 && ports.length > 0)
      io.err('# nobody but this machine is let in: name who may with --allow\n');
    if (unknown.length > 0)
      io.err(
        `# where these send from is not known, because they were certified here: ${unknown.join(', ')}. Name it with --allow\n`,
      );
    io.err(
      '# A host that is still to be enrolled has to reach the https listener too: --allow its network.\n',
    );
    io.err('# Into /etc/nftables.d/holdfast.nft; look with: nft -c -f FILE; load with: nft -f FILE\n');
    return Exit.done;
  },
};

const portOf = (text: string): OpenPort => {
  const [, protocol, digits] = /^(tcp|udp)\/(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits ?? 0);
  if ((protocol !== 'tcp' && protocol !== 'udp') || port < 1 || port > 65_535)
    throw new CliError('usage', `--port: '${text}' is not tcp/PORT or udp/PORT`);
  return { protocol, port };
};

const networkOf = (text: string): string => {
  const [, address = '', bits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  if (isIP(address) === 0 || Number(bits ?? 0) > (isIPv6(address) ? 128 : 32))
    throw new CliError('usage', `--allow: '${text}' is no address and no network, like 192.0.2.0/24`);
  return text;
};

/** Listeners that others can reach. @throws CliError `not-running` */
const openPorts = (running: Ready | null, say: (text: string) => void): OpenPort[] => {
  if (running === null)
    throw new CliError(
      'not-running',
      "nothing runs on this state directory, so its ports are not known: start 'holdfast up', or name them with --port tcp/6514",
    );
  const ports = Object.entries(running.receiver).flatMap(([name, address]) => {
    const kind = listenerKinds.find((one) => readyName(one) === name.replace(/\d+$/, ''));
    const place = parsePlace(address);
    if (place === null || /^(127\.|::1$)/.test(place.host)) return [];
    return [
      { protocol: kind?.endsWith('-udp') === true ? ('udp' as const) : ('tcp' as const), port: place.port },
    ];
  });
  if (ports.length === 0) say('# every listener is on loopback alone: there is nothing to let through\n');
  return ports;
};

/** Who holds a valid certificate, and the address from which it was last asked for; `null` = asked for here. */
const validHolders = async (
  state: Parameters<typeof readBook>[0],
): Promise<{ name: string; address: string | null }[]> => {
  const register = await readBook(state);
  const latest = new Map<string, HostCertificate>();
  for (const one of register?.certificates.values() ?? [])
    if (one.revoked === null && Date.parse(one.expires) > Date.now()) latest.set(one.name, one);
  return [...latest.values()].map(({ name, peer }) => ({
    name,
    address: peer === null ? null : addressOf(peer),
  }));
};

/** `HOST:PORT` without its port; `null` where the receiver said something else. */
const addressOf = (peer: string): string | null => {
  const host = parsePlace(peer)?.host.replace(/%.*$/, '') ?? '';
  const bare = host.replace(/^::ffff:(?=\d+\.)/i, '');
  return isIP(bare) === 0 ? null : bare;
};
