import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Argv, Check, Edit } from '#advise';
import { checkerOf, confinedCommand, namespacesOf, trialOf, type Confined } from './confinement.ts';
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
    mount -o remount,bind,ro "$path"
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
mount -o remount,bind,nodev,nosuid /etc
mount -o remount,bind,ro,nodev,nosuid "$work/memory/etc"
mount -o remount,bind,ro,nodev,nosuid "$work/memory"
exec "$@"
`;

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

/** Runs a command on the files as they are to be. The host's own files stay as they are. */
export const runOnCandidate = async (
  edits: readonly Edit[],
  argv: Argv,
  confined: Confined = checkerOf('of the host'),
): Promise<Outcome> => {
  removeLeft();
  const work = join(directory, `${prefix}${process.pid}-${randomBytes(6).toString('hex')}`);
  const scratch = join(work, 'scratch');
  for (const below of ['memory', 'scratch']) mkdirSync(join(work, below), { recursive: true, mode: 0o700 });
  try {
    for (const [number, { text }] of edits.entries()) writeFileSync(join(work, String(number)), text);
    writeFileSync(join(work, 'list'), edits.map(({ path }, number) => `${number} ${path}\n`).join(''));
    return await run(
      [
        'unshare',
        '--mount',
        '--propagation',
        'private',
        ...namespacesOf(confined),
        ...confinedCommand(confined, scratch, ['sh', '-c', script, 'sh', work], argv),
      ],
      30_000,
    );
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
};

/** What starts must not stop after a moment. `--verbose` says on stderr that the moment has passed. */
const stillRuns: Argv = ['timeout', '--verbose', '--kill-after=1', '2'];

/** @returns why the daemon does not start; `null` where it still ran after a moment */
export const tryDaemon = async (
  edits: readonly Edit[],
  argv: Argv,
  confined: Confined,
): Promise<string | null> => {
  const outcome = await runOnCandidate(edits, [...stillRuns, ...argv], confined);
  const { status, stderr } = outcome;
  // 137 is timeout's SIGKILL after its SIGTERM; or somebody else's before, as when memory is short.
  if (status === 124 || (status === 137 && /^timeout: sending signal TERM /m.test(stderr))) return null;
  return `started with the new configuration, it ended at once: ${lastWord(outcome) || `status ${status ?? 'none'}`}`;
};

/**
 * @param unit as whose user a trial runs
 * @returns why the check says no; `null` where it says yes
 */
export const checkCandidate = async (
  edits: readonly Edit[],
  { kind, argv, network = 'of the host' }: Check,
  unit: string,
): Promise<string | null> => {
  if (kind === 'command') {
    const outcome = await runOnCandidate(edits, argv, checkerOf(network));
    return outcome.status === 0
      ? null
      : lastWord(outcome) || `it ended with status ${outcome.status ?? 'none'}`;
  }
  return tryDaemon(edits, argv, await trialOf(unit));
};

/** Whether a file is there already: an edit of it, rather than a new one. */
export const exists = (path: string): boolean => existsSync(path);
