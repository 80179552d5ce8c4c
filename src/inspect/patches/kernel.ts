import { closeSync, openSync, readSync } from 'node:fs';
import * as os from 'node:os';
import { messageOf } from '#base/errors';
import type { CouldNotLook } from '#base/looked';
import { compareDebianVersions } from './debian-version.ts';
import { listIfThere, readIfThere } from './host-files.ts';
import { textOf, type HostPaths } from '../host.ts';
import { parseGrubDefault, type BootDefault } from './boot-entry.ts';
import type { DpkgPackage } from './dpkg-status.ts';

export type KernelImage = {
  /** As `uname -r` says once it runs: `6.1.0-37-amd64`. */
  release: string;
  /** As `uname -v`, read from the image itself where its format tells (x86); else `null`. */
  build: string | null;
  /** Package version, where a package brought it. */
  packageVersion: string | null;
};

/**
 * - `current`: what runs is what the next boot would start;
 * - `older`: an installed kernel is newer than the running one;
 * - `foreign`: the kernel is not this system's: a container's host or the virtual machine's monitor provides it, and
 *   it has to be patched there. That is no statement about its age.
 */
export type KernelVerdict =
  | { verdict: 'current'; why: string }
  | { verdict: 'older'; next: string; why: string }
  | { verdict: 'foreign'; why: string }
  | { verdict: 'unknown'; why: string };

export type KernelReport = KernelVerdict & {
  /** `uname -r` and `uname -v`. */
  running: { release: string; build: string };
  installed: KernelImage[];
  /** Kernel of the default boot entry, where a boot loader's configuration could be read. */
  bootDefault: BootDefault | null;
  couldNotLook: CouldNotLook[];
};

/** Compares the running kernel with what is installed and with what the boot loader would start. */
export const examineKernel = (paths: HostPaths, packages: readonly DpkgPackage[]): KernelReport => {
  // uname(2) knows it too, where no procfs is mounted; of another root's host it knows nothing.
  const own = paths.root === '' ? { release: os.release(), build: os.version() } : { release: '', build: '' };
  const running = {
    release: (textOf(`${paths.proc}/sys/kernel/osrelease`) ?? own.release).trim(),
    build: (textOf(`${paths.proc}/sys/kernel/version`) ?? own.build).trim(),
  };
  const signature = textOf(`${paths.proc}/version_signature`);
  const couldNotLook: CouldNotLook[] = [];
  let images: string[] | null = null;
  try {
    images = listIfThere(`${paths.root}/boot`);
  } catch (error) {
    couldNotLook.push({ what: 'kernel images in /boot', why: messageOf(error), remedy: 'run as root' });
  }
  const installed = installedKernels(paths.root, packages, images ?? []);
  let bootDefault: BootDefault | null = null;
  try {
    const config = readIfThere(`${paths.root}/boot/grub/grub.cfg`);
    if (config !== null) bootDefault = parseGrubDefault(config, grubEnvironment(paths.root));
  } catch {
    couldNotLook.push({
      what: 'default boot entry',
      why: '/boot/grub/grub.cfg may not be read',
      remedy: 'run as root',
    });
  }
  const verdict: KernelVerdict =
    images === null && installed.length === 0
      ? { verdict: 'unknown', why: 'whether a kernel is installed could not be seen' }
      : judgeKernel({ running, signature, installed, bootRelease: bootDefault?.release ?? null });
  return { ...verdict, running, installed, bootDefault, couldNotLook };
};

const grubEnvironment = (root: string): string => textOf(`${root}/boot/grub/grubenv`) ?? '';

/** What `judgeKernel` weighs. `signature`: Ubuntu's /proc/version_signature. */
export type KernelEvidence = {
  running: { release: string; build: string };
  signature: string | null;
  installed: readonly KernelImage[];
  bootRelease: string | null;
};

/** Pure: judges from what was read. */
export const judgeKernel = ({
  running,
  signature,
  installed,
  bootRelease,
}: KernelEvidence): KernelVerdict => {
  if (running.release === '') return { verdict: 'unknown', why: 'which kernel runs could not be seen' };
  if (installed.length === 0) {
    return {
      verdict: 'foreign',
      why: `no kernel is installed here; ${running.release} comes from outside this system`,
    };
  }
  const next = bootRelease ?? newestOfFlavour(installed, running.release);
  if (next !== null && next !== running.release) {
    if (compareDebianVersions(next, running.release) > 0) {
      const source = bootRelease === null ? 'is installed' : 'is what the boot loader starts next';
      return { verdict: 'older', next, why: `${next} ${source}; ${running.release} runs` };
    }
    if (bootRelease !== null) {
      return {
        verdict: 'unknown',
        why: `the boot loader starts ${next} next, which is not newer than ${running.release}`,
      };
    }
  }
  const own = installed.find(({ release }) => release === running.release);
  if (own === undefined) {
    return {
      verdict: 'unknown',
      why: `${running.release} runs, but no image of it is installed (${installed.map(({ release }) => release).join(', ')} are)`,
    };
  }
  const build = /\bDebian (\S+)/.exec(running.build)?.[1] ?? ubuntuVersion(signature);
  if (build !== null && own.packageVersion !== null && compareDebianVersions(build, own.packageVersion) < 0) {
    return {
      verdict: 'older',
      next: `${own.release} (${own.packageVersion})`,
      why: `build ${build} of ${own.release} runs; ${own.packageVersion} is installed`,
    };
  }
  if (own.build !== null && !own.build.includes(running.build)) {
    return {
      verdict: 'older',
      next: own.release,
      why: `the image on disk is another build (${own.build}) than the one that runs (${running.build})`,
    };
  }
  return {
    verdict: 'current',
    why: `${running.release} is the newest installed kernel${bootRelease === null ? '' : ' and the default boot entry'}`,
  };
};

/** `Ubuntu 6.8.0-31.31-generic 6.8.1` → `6.8.0-31.31`. */
const ubuntuVersion = (signature: string | null): string | null =>
  /^Ubuntu (\S+)-[a-z]\S* /.exec(signature ?? '')?.[1] ?? null;

/** `amd64`, `cloud-amd64`, `generic`: kernels of another flavour do not succeed each other. */
const flavourOf = (release: string): string => /-([a-z].*)$/.exec(release)?.[1] ?? '';

const newestOfFlavour = (installed: readonly KernelImage[], running: string): string | null =>
  installed
    .map(({ release }) => release)
    .filter((release) => flavourOf(release) === flavourOf(running))
    .toSorted(compareDebianVersions)
    .at(-1) ?? null;

const imagePackage = /^(?:linux-image(?:-unsigned)?|proxmox-kernel|pve-kernel)-(\d.*?)(?:-signed)?$/;

const installedKernels = (
  root: string,
  packages: readonly DpkgPackage[],
  boot: readonly string[],
): KernelImage[] => {
  const versions = new Map<string, string>();
  for (const { name, version, state } of packages) {
    const release = imagePackage.exec(name)?.[1];
    if (
      release !== undefined &&
      state === 'installed' &&
      /\d+\.\d+\.\d+/.test(release) &&
      !release.endsWith('-dbg')
    ) {
      versions.set(release, version);
    }
  }
  const images = boot.flatMap((name) => /^vmlinu[xz]-(.+)$/.exec(name)?.slice(0, 2) ?? []);
  const files = new Map<string, string>();
  for (let i = 0; i + 1 < images.length; i += 2) files.set(images[i + 1] ?? '', images[i] ?? '');
  return [...new Set([...versions.keys(), ...files.keys()])]
    .toSorted(compareDebianVersions)
    .map((release) => {
      const file = files.get(release);
      const build = file === undefined ? null : buildOf(`${root}/boot/${file}`);
      return { release, build, packageVersion: versions.get(release) ?? null };
    });
};

/**
 * The version text of an x86 bzImage: the header at 0x202 is `HdrS`, the little-endian u16 at 0x20e is the text's
 * offset less 0x200 (Documentation/arch/x86/boot.rst). `null` for other formats and where it may not be read.
 */
const buildOf = (path: string): string | null => {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch {
    return null;
  }
  try {
    const head = Buffer.alloc(64 << 10);
    const length = readSync(fd, head, 0, head.length, 0);
    if (length < 0x210 || head.toString('latin1', 0x202, 0x206) !== 'HdrS') return null;
    const start = head.readUInt16LE(0x20e) + 0x200;
    const text = head.toString('latin1', start, head.indexOf(0, start));
    return /#\d.*$/.exec(text)?.[0] ?? null;
  } finally {
    closeSync(fd);
  }
};
