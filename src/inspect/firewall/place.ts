import type { CouldNotLook } from '#base/looked';
import { lastWordOf } from '../errors.ts';
import { textOf } from '../host.ts';
import type { NetworkNamespace, ServicesReport } from '../services/report.ts';
import { collectFirewall } from './collect.ts';
import { collectLinks, plainLinks, type Link } from './links.ts';
import { collectRoutes, wayTo } from './routes.ts';
import type { Road } from './reach.ts';
import type { Ruleset } from './ruleset.ts';

/** A network namespace as a stranger's packet meets it. `null` is what could not be looked at. */
export type Place = { netns: NetworkNamespace; ruleset: Ruleset | null; links: readonly Link[] | null };

/** Interfaces and rules of every namespace that has a door for the network. */
export const collectPlaces = async (
  report: Pick<ServicesReport, 'listeners' | 'namespaces'>,
): Promise<{ places: Place[]; couldNotLook: CouldNotLook[] }> => {
  const couldNotLook: CouldNotLook[] = [];
  const wanted = report.namespaces.filter(
    ({ own, inode }) => own || report.listeners.some((one) => one.netns.inode === inode && isOfNetwork(one)),
  );
  const places: Place[] = [];
  const look = async ({ enter, ...netns }: (typeof wanted)[number]): Promise<void> => {
    const name = netns.own ? 'this host' : namespaceName(netns);
    const [firewall, links] = await Promise.all([
      collectFirewall(enter, name),
      collectLinks(enter).catch((error: unknown) => {
        if (netns.own && enter.length === 0) return plainLinks();
        couldNotLook.push({
          what: `interfaces of ${name}`,
          why: lastWordOf(error),
          remedy: 'run as root, with iproute2 installed',
        });
        return null;
      }),
    ]);
    couldNotLook.push(...firewall.couldNotLook);
    places.push({ netns, ruleset: firewall.couldNotLook.length > 0 ? null : firewall.ruleset, links });
  };
  // Each takes some programs: a few namespaces at a time.
  const waiting = wanted.toSorted((a, b) => Number(b.own) - Number(a.own));
  const next = async (): Promise<void> => {
    for (let one = waiting.shift(); one !== undefined; one = waiting.shift()) await look(one);
  };
  await Promise.all([next(), next(), next(), next()]);
  return { places, couldNotLook };
};

const isOfNetwork = ({ protocol, scope }: ServicesReport['listeners'][number]): boolean =>
  !['unix', 'vsock', 'packet'].includes(protocol) && scope !== 'local';

/** As people know it: its name, or whose it is. */
export const namespaceName = ({ name, inode, container }: NetworkNamespace): string =>
  container !== null
    ? `${container.manager} ${container.name ?? container.id?.slice(0, 12) ?? '?'}`
    : (name ?? `net:[${inode ?? '?'}]`);

/** Where the host's own packets go. @param proc a mounted procfs */
export const roadOf = (links: readonly Link[], proc: string): Road => {
  const here = new Set(links.flatMap(({ addresses }) => addresses.map(({ address }) => address)));
  const routes = collectRoutes(proc);
  const isOn = (path: string): boolean => textOf(`${proc}/sys/net/${path}`)?.trim() === '1';
  const forwards = { 4: isOn('ipv4/ip_forward'), 6: isOn('ipv6/conf/all/forwarding') };
  return {
    isHere: (address) => here.has(address) || /^(?:127\.|::1$)/.test(address),
    leavesBy: (address) => wayTo(routes, address),
    forwards: (family) => forwards[family],
  };
};
