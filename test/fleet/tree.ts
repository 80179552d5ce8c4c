import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { debianMirror, type Mirror } from './mirror.ts';

export type Suite = 'bookworm' | 'trixie';

/** Where trees are kept between runs; below the project, and no part of it. */
const cache = process.env['HOLDFAST_FLEET_CACHE'] ?? join(import.meta.dirname, '..', '..', '.cache', 'fleet');

/** What every host has: an init, a bus, and what the product itself needs of a minimal Debian. */
const basePackages = ['systemd', 'systemd-sysv', 'dbus', 'iproute2', 'procps', 'libstdc++6'] as const;

/** Units that would go out to a network that is not there, or only make the start longer. */
const masked = [
  'apt-daily.timer',
  'apt-daily-upgrade.timer',
  'dpkg-db-backup.timer',
  'e2scrub_all.timer',
  'e2scrub_reap.service',
  'systemd-timesyncd.service',
  'console-getty.service',
] as const;

/**
 * Directories that together are the root of a host with these packages, uppermost first, as overlayfs takes them for
 * `lowerdir`. The suite's own tree is made once by debootstrap, each set of further packages once as a layer above it.
 * Nothing in them is ever written to again.
 */
export const treeOf = async (
  suite: Suite,
  packages: readonly string[],
  archives: Archives = 'cleaned',
): Promise<string[]> => {
  const script = addPackages(archives);
  const base = await cached(
    `${suite}-${hash([...basePackages, ...masked], addPackages('cleaned'))}`,
    { BASE: basePackages.join(','), MASKED: masked.join(' '), SUITE: suite },
    makeBase,
  );
  if (packages.length === 0) return [base];
  const sorted = [...new Set(packages)].toSorted();
  const layer = await cached(
    `${suite}-${hash([base, ...sorted], script)}`,
    { LOWER: base, PACKAGES: sorted.join(' ') },
    script,
  );
  return [layer, base];
};

const hash = (words: readonly string[], script: string): string =>
  createHash('sha256')
    .update(JSON.stringify([words, makeBase, script]))
    .digest('hex')
    .slice(0, 12);

/**
 * Made in memory (dpkg syncs each file) in a mount namespace of its own, then copied to `$TARGET`. What debootstrap
 * takes over from this machine is removed: its name and its resolver. Caches and documentation are of no use.
 */
const makeBase = `
set -eu
mount -t tmpfs tmpfs /mnt
debootstrap --variant=minbase --include="$BASE" "$SUITE" /mnt/root "$MIRROR"
cd /mnt/root
rm -rf var/cache/apt/archives/*.deb var/lib/apt/lists/* usr/share/man/* usr/share/locale/* debootstrap
find usr/share/doc -type f ! -name copyright -delete
rm -f etc/resolv.conf etc/hostname var/lib/dbus/machine-id
: > etc/machine-id
for unit in $MASKED; do ln -sf /dev/null "etc/systemd/system/$unit"; done
cp -a /mnt/root "$TARGET"
`;

/** Whether what the further packages were installed from stays in apt's cache. */
export type Archives = 'kept' | 'cleaned';

/** Installed in a chroot, where no daemon is started; only what they add goes to `$TARGET`. */
const addPackages = (archives: Archives): string => `
set -eu
mount -t tmpfs tmpfs /mnt
mkdir /mnt/upper /mnt/work /mnt/root
mount -t overlay overlay -o "lowerdir=$LOWER,upperdir=/mnt/upper,workdir=/mnt/work" /mnt/root
mount -t proc proc /mnt/root/proc
[ ! -e /etc/resolv.conf ] || cp -L /etc/resolv.conf /mnt/root/etc/resolv.conf
printf '#!/bin/sh\\nexit 101\\n' > /mnt/root/usr/sbin/policy-rc.d
chmod +x /mnt/root/usr/sbin/policy-rc.d
apt="apt-get -q -o Acquire::Check-Date=false -o Acquire::Check-Valid-Until=false"
[ -z "$PROXY" ] || apt="$apt -o Acquire::http::Proxy=$PROXY"
export DEBIAN_FRONTEND=noninteractive
chroot /mnt/root $apt update
chroot /mnt/root $apt install -y --no-install-recommends $PACKAGES
${archives === 'kept' ? ':' : 'chroot /mnt/root apt-get clean'}
rm -rf /mnt/root/var/lib/apt/lists/* /mnt/root/etc/resolv.conf /mnt/root/usr/sbin/policy-rc.d
umount /mnt/root/proc /mnt/root
cp -a /mnt/upper "$TARGET"
`;

const cached = async (
  name: string,
  env: Readonly<Record<string, string>>,
  script: string,
): Promise<string> => {
  const directory = join(cache, name);
  if (existsSync(directory)) return directory;
  mkdirSync(cache, { recursive: true });
  const unfinished = `${directory}.unfinished-${process.pid}`;
  try {
    await build(unfinished, env, script, debianMirror());
    renameSync(unfinished, directory);
  } catch (error) {
    // Another process may have been first.
    if (!existsSync(directory)) throw error;
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
  return directory;
};

const build = async (
  target: string,
  env: Readonly<Record<string, string>>,
  script: string,
  { url, proxy }: Mirror,
): Promise<void> => {
  const child = spawn(
    'unshare',
    [
      '--mount',
      '--propagation',
      'private',
      '--kill-child',
      '--fork',
      '--pid',
      '--mount-proc',
      'sh',
      '-c',
      script,
    ],
    {
      env: {
        PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
        LC_ALL: 'C.UTF-8',
        ...(proxy === null ? {} : { http_proxy: proxy }),
        ...env,
        MIRROR: url,
        PROXY: proxy ?? '',
        TARGET: target,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (said = `${said}${text}`.slice(-4000)));
  const status = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  if (status !== 0) throw new Error(`the tree ${target} could not be made (status ${status}):\n${said}`);
};

/** Whether debootstrap of this machine knows the suite. */
export const knowsSuite = (suite: Suite): boolean => existsSync(`/usr/share/debootstrap/scripts/${suite}`);

/** What the host calls itself in os-release(5), e.g. `12`. */
export const versionIn = (root: string): string | null =>
  /^VERSION_ID="?([^"\n]*)/m.exec(readFileSync(join(root, 'usr', 'lib', 'os-release'), 'utf8'))?.[1] ?? null;
