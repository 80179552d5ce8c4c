import { spawnSync } from 'node:child_process';
import { onPath } from '../../tools/test/suites.ts';

/** Programs that hosts are made with; the set-up installs their packages. */
const programs = ['systemd-nspawn', 'debootstrap', 'unshare', 'nsenter', 'setpriv', 'ip'] as const;

/** Why no hosts can be made here, or `null`. */
export const noFleet = (): string | null => {
  if (process.getuid?.() !== 0) return 'hosts in systemd-nspawn need root';
  const missing = programs.filter((program) => !onPath(program));
  if (missing.length > 0)
    return `${missing.join(', ')} not installed (apt-get install systemd-container debootstrap iproute2)`;
  const made = spawnSync('unshare', ['--mount', '--net', '--propagation', 'private', 'sh', '-c', overlay], {
    encoding: 'utf8',
  });
  return made.status === 0
    ? null
    : `this machine does not let root make the namespaces, bridges and overlays of a host: ${made.stderr.trim()}`;
};

const overlay = `
set -e
mount -t tmpfs tmpfs /mnt
mkdir /mnt/lower /mnt/upper /mnt/work /mnt/root
mount -t overlay overlay -o lowerdir=/mnt/lower,upperdir=/mnt/upper,workdir=/mnt/work /mnt/root
ip link add br0 type bridge
`;
