import type { Argv } from '#advise';
import { FixError } from './errors.ts';
import { run } from './run.ts';

/**
 * What a checker or a daemon that is tried has of this host: its configuration may name code (`loadmodule`,
 * `LoadModule`), which runs with it.
 *
 * - Every mount is read-only and without devices; layers over /etc, /run, /tmp and /var are thrown away, and a /dev of its own
 *   has what every program needs. Sockets by path lie below those layers, and nobody answers there; one elsewhere, in a home say, is
 *   within reach.
 * - It sees no process but its own, and has no capability that reaches beyond these mounts: not even root could mount
 *   them anew, load a module of the kernel, or set the clock.
 * - `trial`: in a network of its own. A checker has the host's, for some look names up: `nginx -t` refuses an upstream
 *   that does not resolve. So code in the configuration reaches what listens on loopback and in the abstract namespace of
 *   unix sockets, as root.
 */
export type Confined = {
  network: 'own' | 'of the host';
  /** Name or number; empty: root. */
  user: string;
  /** Empty: the user's own. */
  group: string;
};

/**
 * `$1` an empty directory below /run, `$2` network; the rest: the command, still with root's rights. What is mounted below
 * /var gets a layer too, or is read-only where the file system takes none; what is mounted below /run is out of sight.
 */
const confine = `
set -e
work=$1; network=$2; shift 2
[ "$network" != own ] || ip link set lo up
mount -t tmpfs -o mode=755 tmpfs "$work"
mkdir "$work/dev" "$work/dev/shm" "$work/var"
for device in null zero full random urandom tty; do
  [ -e "/dev/$device" ] || continue
  : > "$work/dev/$device"
  mount --bind "/dev/$device" "$work/dev/$device"
done
ln -s /proc/self/fd "$work/dev/fd"
chmod 1777 "$work/dev/shm"
mount --rbind "$work/dev" /dev
while read -r _ _ _ _ point _; do
  point=$(printf %b "$point")
  case $point/ in "$work"/* | /dev/*) continue ;; esac
  mount --options-source=mtab -o remount,bind,ro,nodev,nosuid "$point" 2>/dev/null && continue
  said=$(umount --lazy "$point" 2>&1) && continue
  # hidden below another mount, so out of reach anyway
  case $said in *'not mounted'* | *'no mount point'* | *'not found'*) ;; *) echo "$said" >&2; exit 1 ;; esac
done < /proc/self/mountinfo
layers=0
layer() {
  layers=$((layers + 1))
  mkdir "$work/upper-$layers" "$work/work-$layers"
  mount -t overlay overlay -o "lowerdir=$1,upperdir=$work/upper-$layers,workdir=$work/work-$layers" "$2"
}
mount --rbind /var "$work/var"
layer "$work/var" /var
while read -r _ _ _ _ point _; do
  point=$(printf %b "$point")
  case $point in
    "$work"/var/*) layer "$point" "\${point#"$work"}" 2>/dev/null || mount --bind "$point" "\${point#"$work"}" ;;
  esac
done < /proc/self/mountinfo
mount -t tmpfs -o mode=1777 tmpfs /tmp
# The last, as it hides where the others are.
layer /run /run
exec "$@"
`;

/** `$1` user, `$2` group, `$3` what root keeps; the rest: the command. */
const drop = `
user=$1; group=$2; kept=$3; shift 3
if [ -z "$user" ]; then
  exec setpriv --inh-caps=-all --bounding-set="-all,$kept" --no-new-privs "$@"
else
  exec setpriv --reuid="$user" --regid="\${group:-$(id -g "$user")}" --init-groups --inh-caps=-all --bounding-set=-all --no-new-privs "$@"
fi
`;

/** What a daemon that starts as root needs to become somebody else, and to bind its port; in a network of its own, all of that. */
const kept =
  '+chown,+dac_override,+fowner,+fsetid,+kill,+setgid,+setuid,+setpcap,+net_bind_service,+sys_chroot,+audit_write';

/**
 * The command that runs another one so; for who is root in namespaces of his own (namespacesOf).
 * @param work an empty directory below /run
 * @param prepare a command that does something with root's rights before it runs what follows it
 */
export const confinedCommand = (
  { network, user, group }: Confined,
  work: string,
  prepare: Argv,
  argv: Argv,
): Argv => {
  const confined = ['sh', '-c', confine, 'sh', work, network];
  const rights = network === 'own' ? `${kept},+net_admin` : kept;
  const dropped = ['sh', '-c', drop, 'sh', user, group, rights];
  return [...confined, ...prepare, ...dropped, ...argv];
};

/** What unshare(1) is told besides the mounts. */
export const namespacesOf = ({ network }: Confined): string[] => [
  '--ipc',
  '--uts',
  '--pid',
  '--fork',
  '--kill-child',
  '--mount-proc',
  ...(network === 'own' ? ['--net'] : []),
];

/** A checker: root, as at the command line. */
export const checkerOf = (network: Confined['network']): Confined => ({ network, user: '', group: '' });

/** A daemon as systemd runs it in its unit. @throws FixError `could-not-look` */
export const trialOf = async (unit: string): Promise<Confined> => {
  const { status, stdout, stderr } = await run(['systemctl', 'show', '--property=User,Group', '--', unit]);
  if (status !== 0)
    throw new FixError('could-not-look', `as whom ${unit} runs, systemctl does not say: ${stderr.trim()}`);
  const valueOf = (name: string): string => new RegExp(`^${name}=(.*)$`, 'm').exec(stdout)?.[1] ?? '';
  return { network: 'own', user: valueOf('User'), group: valueOf('Group') };
};
