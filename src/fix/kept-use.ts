import type { UseBook } from '#inspect';
import { clientKey, type Client, type Use } from './clients.ts';

/**
 * What was seen now, with programs of this host that were noted before: one that comes once an hour counts too. Those have
 * `seen` 0, so that nobody waits for them. Of a unit that is seen now counts what it dials now. Other hosts are left out:
 * whoever has knocked once is noted, and is no client thereby.
 * @param ports of the doors, TCP and UDP
 */
export const withKept = (use: Use, book: UseBook | null, ports: ReadonlySet<number>): Use => {
  if (book === null) return use;
  const known = new Set(use.clients.map(clientKey));
  const unitsNow = new Set(use.clients.map(({ unit }) => unit));
  const before = book.uses.flatMap(({ door, client }): Client[] => {
    if (door.port === null || !ports.has(door.port) || client.from !== 'this host') return [];
    const { program, address } = client;
    const one: Client = {
      from: address ?? client.to,
      to: client.to,
      local: true,
      pid: null,
      program: program?.exe?.replace(/^.*\//, '').replace(/ \(deleted\)$/, '') ?? null,
      unit: program?.unit ?? null,
      seen: 0,
    };
    const key = clientKey(one);
    if (known.has(key) || (one.unit !== null && unitsNow.has(one.unit))) return [];
    known.add(key);
    return [one];
  });
  return { ...use, clients: [...use.clients, ...before] };
};
