import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Argv, Check, Edit } from '#advise';
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
mkdir "$work/memory/upper" "$work/memory/work"
mount -t overlay overlay -o "lowerdir=/etc,upperdir=$work/memory/upper,workdir=$work/memory/work" /etc
while read -r number path; do
  mkdir -p "$(dirname "$path")"
  if [ -e "$path" ]; then
    chown --reference="$path" "$work/$number"
    chmod --reference="$path" "$work/$number"
    mount --bind "$work/$number" "$path"
  else
    cp "$work/$number" "$path"
    chmod 644 "$path"
  fi
done < "$work/list"
exec "$@"
`;

/**
 * In a network of its own, and with layers over /run and /var, so that it touches no data and no pid file of the one that
 * runs: what starts must not stop after a moment. Status 124 is timeout's: it still ran.
 */
const trialScript = `
set -e
ip link set lo up
mount -t tmpfs -o mode=755 tmpfs /mnt
for part in var run; do
  mkdir "/mnt/$part-upper" "/mnt/$part-work"
  mount -t overlay overlay -o "lowerdir=/$part,upperdir=/mnt/$part-upper,workdir=/mnt/$part-work" "/$part"
done
exec timeout --kill-after=1 2 "$@"
`;

/** Runs a command on the files as they are to be. The host's own files stay as they are. */
export const runOnCandidate = async (
  edits: readonly Edit[],
  argv: Argv,
  kind: Check['kind'] = 'command',
): Promise<Outcome> => {
  const work = join('/run', `holdfast-candidate-${randomBytes(6).toString('hex')}`);
  mkdirSync(join(work, 'memory'), { recursive: true, mode: 0o700 });
  try {
    for (const [number, { text }] of edits.entries()) writeFileSync(join(work, String(number)), text);
    writeFileSync(join(work, 'list'), edits.map(({ path }, number) => `${number} ${path}\n`).join(''));
    const apart = kind === 'trial' ? ['--net', '--pid', '--fork', '--kill-child', '--mount-proc'] : [];
    const command = kind === 'trial' ? ['sh', '-c', trialScript, 'sh', ...argv] : argv;
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

/** @returns why the check says no; `null` where it says yes */
export const checkCandidate = async (
  edits: readonly Edit[],
  { kind, argv }: Check,
): Promise<string | null> => {
  const outcome = await runOnCandidate(edits, argv, kind);
  const good = kind === 'trial' ? outcome.status === 124 || outcome.status === 137 : outcome.status === 0;
  if (good) return null;
  return kind === 'trial'
    ? `started with the new configuration, it ended at once: ${lastWord(outcome)}`
    : lastWord(outcome) || `it ended with status ${outcome.status ?? 'none'}`;
};

/** Whether a file is there already: an edit of it, rather than a new one. */
export const exists = (path: string): boolean => existsSync(path);
