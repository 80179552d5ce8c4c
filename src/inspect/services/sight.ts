import type { CouldNotLook } from '#base/looked';
import { lastWordOf } from '../errors.ts';
import { findHolders, type SocketHolders } from './descriptors.ts';
import { nameOf, readEndpoints, type Endpoint, type TableTexts } from './endpoints.ts';
import { recallHolders, rememberHolders, type Memory } from './memory.ts';
import type { OpenNamespace } from './namespaces.ts';
import { findStrays } from './stray-sockets.ts';
import { askUnixPeers } from './unix-peers.ts';
import { askDetails, type SocketDetails } from './socket-details.ts';

export type Sight = {
  namespaces: OpenNamespace[];
  endpoints: Endpoint[];
  holders: SocketHolders;
  /** By inode, where it matters. */
  details: ReadonlyMap<number, SocketDetails>;
  couldNotLook: CouldNotLook[];
};

/** All endpoints of the namespaces, and of those that come to light with the descriptors; and who has them open. */
export const lookAround = async (
  proc: string,
  pids: readonly number[],
  known: readonly OpenNamespace[],
  memory: Memory,
): Promise<Sight> => {
  const couldNotLook: CouldNotLook[] = [];
  const wholeTables = new Map<OpenNamespace, TableTexts>();
  // A first look needs the connections too, to tell what descriptors stand for.
  const extent = memory.holders === null ? 'whole' : 'listening';
  const read = (namespaces: readonly OpenNamespace[]): Endpoint[] =>
    namespaces.flatMap((namespace) => {
      const one = readEndpoints(namespace, extent);
      if (extent === 'whole') wholeTables.set(namespace, one.texts);
      couldNotLook.push(...one.couldNotLook);
      return one.endpoints;
    });
  const inodesOf = (of: readonly Endpoint[]): Set<number> => new Set(of.flatMap(({ inodes }) => inodes));

  memory.starts.clear();
  const endpoints = read(known);
  const asking = [learnDetails(endpoints, memory)];
  const pairing = learnPeers(endpoints);
  const wanted = inodesOf(endpoints);
  const recalled = recallHolders(memory, proc, wanted);
  const holders = recalled ?? findHolders(proc, pids, wanted);
  if (recalled === null) rememberHolders(memory, proc, wanted, holders);
  const strays = await findStrays(known, wholeTables, holders, memory.asked);
  couldNotLook.push(...strays.couldNotLook);
  const more = [...read(strays.namespaces), ...strays.endpoints];
  if (more.length > 0) {
    asking.push(learnDetails(more, memory));
    for (const [inode, pidsOf] of findHolders(proc, pids, inodesOf(more)).byInode)
      holders.byInode.set(inode, pidsOf);
  }
  const answers = await Promise.all(asking);
  const details = new Map(answers.flatMap((answer) => [...answer.details]));
  memory.details = details;
  const pairs = await pairing;
  couldNotLook.push(...pairs.couldNotLook);
  couldNotLook.push(...answers.flatMap((answer) => answer.couldNotLook));
  return {
    namespaces: [...known, ...strays.namespaces],
    endpoints: [...endpoints, ...more].filter(
      ({ row, inodes }) => row.perhapsPaired !== true || !inodes.every((inode) => pairs.paired.has(inode)),
    ),
    holders,
    details,
    couldNotLook,
  };
};

/** Of datagram sockets with a name, those that take from their peer alone. */
const learnPeers = async (
  endpoints: readonly Endpoint[],
): Promise<{ paired: Set<number>; couldNotLook: CouldNotLook[] }> => {
  const asked = new Set(
    endpoints.flatMap(({ row, namespace }) => (row.perhapsPaired === true ? [namespace] : [])),
  );
  const couldNotLook: CouldNotLook[] = [];
  const answers = await Promise.all(
    [...asked].map(async (namespace) => {
      try {
        return await askUnixPeers(namespace.enter);
      } catch (error) {
        couldNotLook.push({
          what: `which unix sockets take from one peer alone, in ${nameOf(namespace)}`,
          why: lastWordOf(error),
          remedy: namespace.enter.length === 0 ? 'install iproute2' : 'run as root, with iproute2 installed',
        });
        return [];
      }
    }),
  );
  return {
    paired: new Set(answers.flat().flatMap(({ inode, peer }) => (peer === 0 ? [] : [inode]))),
    couldNotLook,
  };
};

/** They matter for wildcards alone: only where there is one is the namespace asked. */
const learnDetails = async (
  endpoints: readonly Endpoint[],
  memory: Memory,
): Promise<{ details: Map<number, SocketDetails>; couldNotLook: CouldNotLook[] }> => {
  const asked = new Map<OpenNamespace, Set<number>>();
  const known = new Map<number, SocketDetails>();
  for (const { row, namespace, inodes } of endpoints) {
    if ((row.protocol !== 'tcp' && row.protocol !== 'udp') || !/^(?:::|0\.0\.0\.0)$/.test(row.address))
      continue;
    for (const inode of inodes) {
      const details = memory.details.get(inode);
      if (details === undefined) asked.set(namespace, (asked.get(namespace) ?? new Set()).add(row.port ?? 0));
      else known.set(inode, details);
    }
  }
  const couldNotLook: CouldNotLook[] = [];
  const answers = await Promise.all(
    [...asked].map(async ([namespace, ports]) => {
      try {
        return [...(await askDetails(namespace.enter, ports))];
      } catch (error) {
        couldNotLook.push({
          what: `whether listeners on [::] take IPv4 too, and on one interface alone, in ${nameOf(namespace)}`,
          why: lastWordOf(error),
          remedy: namespace.enter.length === 0 ? 'install iproute2' : 'run as root, with iproute2 installed',
        });
        return [];
      }
    }),
  );
  return { details: new Map([...known, ...answers.flat()]), couldNotLook };
};
