import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Argv, Check, Edit } from '#advise';
import { FixError } from './errors.ts';
import { lastWord, run, type Outcome } from './run.ts';

/**
 * A mount namespace in which the edited files are as they are to be: a layer over /etc for new files, a bind mount over
 * each that exists, which keeps owner and mode. Everything else is the host's own. It ends with the command.
 * `$1` directory with the files by number and `list` (number, path, one a line); the rest: the command.
 */
const script = `
set -e
work=$1; shift
mount -t tmpfs -o mode=700 tmpfs "$work/memory"
mkdir "$work/memory/upper" "$work/memory/work" "$work/memory/etc"
mount -t overlay overlay -o "lowerdir=/etc,upperdir=$work/memory/upper,workdir=$work/memory/work" "$work/memory/etc"
while read -r _ _ _ _ point _; do
  case $point in /etc/*) mount --bind "$(printf %b "$point")" "$work/memory$(printf %b "$point")" ;; esac
done < /proc/self/mountinfo
mount --rbind "$work/memory/etc" /etc
while read -r number path; do
  if [ -e "$path" ]; then
    chown --reference="$path" "$work/$number"
    chmod --reference="$path" "$work/$number"
    mount --bind "$work/$number" "$path"
  else
    directory=$(realpath --canonicalize-missing "$(dirname "$path")")
    case $directory/ in
      /etc/*) ;;
      *) echo "$path would be a new file in $directory, outside /etc: write it by hand" >&2; exit 1 ;;
    esac
    mkdir -p "$directory"
    cp "$work/$number" "$path"
    chmod 644 "$path"
  fi
done < "$work/list"
exec "$@"
`;

/**
 * In a network of its own, with every mount read-only, and layers over /run, /tmp and /var, so that it touches no data, no
 * socket and no pid file of the one that runs. It runs as the user that its unit names, because the service may own the
 * configuration and name code in it. What starts must not stop after a moment. Status 124 is timeout's: it still ran.
 * `$1` user, `$2` group, each empty where the unit names none; the rest: the command.
 */
const trialScript = `
set -e
user=$1; group=$2; shift 2
ip link set lo up
while read -r _ _ _ _ point _; do
  point=$(printf %b "$point")
  mount --options-source=mtab -o remount,bind,ro "$point" 2>/dev/null && continue
  said=$(umount --lazy "$point" 2>&1) && continue
  # hidden below another mount, so out of reach anyway
  case $said in *'not mounted'* | *'no mount point'* | *'not found'*) ;; *) echo "$said" >&2; exit 1 ;; esac
done < /proc/self/mountinfo
mount -t tmpfs -o mode=755 tmpfs /mnt
for part in var run; do
  mkdir "/mnt/$part-upper" "/mnt/$part-work"
  mount -t overlay overlay -o "lowerdir=/$part,upperdir=/mnt/$part-upper,workdir=/mnt/$part-work" "/$part"
done
mount -t tmpfs -o mode=1777 tmpfs /tmp
[ -z "$user" ] || set -- setpriv --reuid="$user" --regid="\${group:-$(id -g "$user")}" --init-groups --no-new-privs "$@"
exec timeout --kill-after=1 2 "$@"
`;

/** As which user and group systemd runs a unit; empty where it is root. */
const userOf = async (unit: string): Promise<[string, string]> => {
  const { status, stdout, stderr } = await run(['systemctl', 'show', '--property=User,Group', '--', unit]);
  if (status !== 0)
    throw new FixError('could-not-look', `as whom ${unit} runs, systemctl does not say: ${stderr.trim()}`);
  const valueOf = (name: string): string => new RegExp(`^${name}=(.*)$`, 'm').exec(stdout)?.[1] ?? '';
  return [valueOf('User'), valueOf('Group')];
};

const directory = '/run';
const prefix = 'holdfast-candidate-';

/** What a process that was killed has left: it may hold passwords. */
const removeLeft = (): void => {
  for (const name of readdirSync(directory)) {
    const [, pid] = /^holdfast-candidate-(\d+)-/.exec(name) ?? [];
    if (pid !== undefined && !existsSync(`/proc/${pid}`))
      rmSync(join(directory, name), { recursive: true, force: true });
  }
};

/**
 * Runs a command on the files as they are to be. The host's own files stay as they are.
 * @param trialOf of a trial: whose user and group it gets
 */
export const runOnCandidate = async (
  edits: readonly Edit[],
  argv: Argv,
  trialOf: readonly [user: string, group: string] | null = null,
): Promise<Outcome> => {
  removeLeft();
  const work = join(directory, `${prefix}${process.pid}-${randomBytes(6).toString('hex')}`);
  mkdirSync(join(work, 'memory'), { recursive: true, mode: 0o700 });
  try {
    for (const [number, { text }] of edits.entries()) writeFileSync(join(work, String(number)), text);
    writeFileSync(join(work, 'list'), edits.map(({ path }, number) => `${number} ${path}\n`).join(''));
    const apart =
      trialOf === null ? [] : ['--net', '--ipc', '--pid', '--fork', '--kill-child', '--mount-proc'];
    const command = trialOf === null ? argv : ['sh', '-c', trialScript, 'sh', ...trialOf, ...argv];
    return await run(
      [
        'unshare',
        '--mount',
        '--propagation',
        'private',
        ...apart,
        'sh',
        '-c',
        script,
        'sh',
        work,
        ...command,
      ],
      30_000,
    );
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
};

/**
 * @param unit as whose user a trial runs
 * @returns why the check says no; `null` where it says yes
 */
export const checkCandidate = async (
  edits: readonly Edit[],
  { kind, argv }: Check,
  unit: string,
): Promise<string | null> => {
  const outcome = await runOnCandidate(edits, argv, kind === 'trial' ? await userOf(unit) : null);
  const good = kind === 'trial' ? outcome.status === 124 || outcome.status === 137 : outcome.status === 0;
  if (good) return null;
  return kind === 'trial'
    ? `started with the new configuration, it ended at once: ${lastWord(outcome)}`
    : lastWord(outcome) || `it ended with status ${outcome.status ?? 'none'}`;
};

/** Whether a file is there already: an edit of it, rather than a new one. */
export const exists = (path: string): boolean => existsSync(path);
