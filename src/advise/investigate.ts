import type { Option } from '#wire/audit';
import { portsOf, type Door } from './doors.ts';

/**
 * A look that comes before any other step: where it is not known what a thing is, and where stopping it would destroy
 * what could tell. Otherwise `[]`.
 */
export const investigate = (door: Door): Option[] => {
  const action = whatToLookAt(door);
  return action === null ? [] : [{ step: 'investigate', action }];
};

const whatToLookAt = (door: Door): string | null => {
  const { lead, listeners, processes, known, clients } = door;
  const [process] = processes;
  if (lead.scope === 'container') {
    const path =
      lead.netns.name === null ? `/proc/${process?.pid ?? '<pid>'}/ns/net` : `/run/netns/${lead.netns.name}`;
    return `see what forwards to it: nft list ruleset; iptables-save -t nat; and its addresses: nsenter --net=${path} ip addr`;
  }
  if (lead.holder === 'unseen') {
    const inodes = listeners.flatMap((one) => one.inodes);
    const more = inodes.length > 6 ? ', …' : '';
    return `find out what it is, as root: ss -H -l -n -p -e${filterOf(door)} (inode ${inodes.slice(0, 6).join(', ')}${more})`;
  }
  if (clients) {
    return `see whether it only waits for answers, as a client does; then nothing needs to be done: ss -u -n -p -a${filterOf(door)}`;
  }
  if (process === undefined || lead.holder !== 'process') return null;
  const deleted = processes.find((one) => one.deleted);
  const look = (pid: number): string =>
    `tr '\\0' ' ' </proc/${pid}/cmdline; ls -l /proc/${pid}/cwd; cp /proc/${pid}/exe /root/exe-${pid}`;
  if (deleted !== undefined) {
    return `stopping it destroys evidence, so look first: ${look(deleted.pid)}; if its package was just upgraded, a restart is all it needs`;
  }
  const foreign = processes.find((one) => one.exe !== null && one.package === null);
  if (foreign !== undefined) {
    return `no package brought it, and stopping it destroys evidence, so look first: ${look(foreign.pid)}`;
  }
  const inline = processes.find((one) => one.interpreter && one.script === null);
  if (inline !== undefined && known === null) {
    return `its program is not a file that could be named, so look first: ${look(inline.pid)}`;
  }
  return null;
};

/** A filter for ss(8), or nothing where there are more ports than a person wants to read. */
const filterOf = ({ listeners }: Door): string => {
  const ports = [...new Set(portsOf(listeners).flatMap(([, of]) => of))];
  if (ports.length === 0 || ports.length > 6) return '';
  return ` '${ports.map((port) => `sport = :${port}`).join(' or ')}'`;
};
