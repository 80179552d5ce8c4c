import { useWatcher, type Listener } from '#inspect';
import type { Client, Use } from './clients.ts';

/**
 * Who sends to the doors over UDP, as far as connection tracking of the kernel remembers. Nobody waits for them to come
 * back (`seen` 0), because UDP keeps no connection.
 */
export const udpUse = async (doors: readonly Listener[]): Promise<Pick<Use, 'clients' | 'overUdp'>> => {
  const udp = doors.filter(({ protocol }) => protocol === 'udp');
  if (udp.length === 0) return { clients: [], overUdp: null };
  const { uses, couldNotLook } = await useWatcher().sample(udp);
  const clients = uses.map(({ client: { from, address, to, program } }): Client => ({
    from: address ?? to,
    to,
    local: from === 'this host',
    pid: null,
    program: program?.exe?.replace(/^.*\//, '') ?? null,
    unit: program?.unit ?? null,
    seen: 0,
  }));
  const [gap] = couldNotLook;
  return {
    clients,
    overUdp:
      gap === undefined
        ? 'senders over UDP are known only as far as the kernel tracks connections'
        : `senders over UDP were not looked for: ${gap.why}`,
  };
};
