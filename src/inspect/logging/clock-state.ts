import type { CouldNotLook } from '#base/looked';
import { runCommand } from '../patches/command.ts';
import { statIfThere } from '../patches/host-files.ts';
import type { OpenFiles } from './open-files.ts';

/** Whether the clock is kept right. */
export type ClockState = {
  /** `null` = could not look. */
  synchronised: boolean | null;
  /** Who answered: `chronyc tracking`, the kernel (adjtimex(2)), `timedatectl`, … */
  according: string | null;
  /** Time daemon that runs; `null` = none that may be seen. */
  daemon: string | null;
  /** All processes could be seen, so that no daemon means none. */
  daemonKnown: boolean;
  evidence: string[];
};

const daemons = /^(?:chronyd|systemd-timesyncd|systemd-timesyn|ntpd|ntpsec|openntpd|ptp4l|phc2sys)$/;

type Answer = { synchronised: boolean; according: string; evidence: string };

/**
 * Asks whoever knows best: chronyd (which tells the kernel only under `rtcsync`), OpenNTPD (which never does), then
 * the kernel, then systemd.
 */
export const examineClock = async (
  root: string,
  { processes, named }: Pick<OpenFiles, 'processes' | 'named'>,
): Promise<{ clock: ClockState; couldNotLook: CouldNotLook[] }> => {
  const daemon = processes.find(({ name }) => daemons.test(name))?.name ?? null;
  const who = { daemon, daemonKnown: daemon !== null || named === 'all' };
  const asked: (() => Promise<Answer | null>)[] = [
    ...(daemon === 'chronyd' ? [askChrony] : []),
    ...(daemon === 'ntpd' ? [askOpenNtpd] : []),
    askKernel,
    askTimedate,
    async () => askTimesync(root),
  ];
  for (const ask of asked) {
    const answer = await ask();
    if (answer === null) continue;
    const { synchronised, according, evidence } = answer;
    return { clock: { synchronised, according, ...who, evidence: [evidence] }, couldNotLook: [] };
  }
  return {
    clock: { synchronised: null, according: null, ...who, evidence: [] },
    couldNotLook: [
      {
        what: 'whether the clock is synchronised',
        why: 'neither chronyc, the kernel (by way of perl), timedatectl nor systemd-timesyncd gave an answer',
        remedy: 'run `chronyc tracking` or `timedatectl show` where it works',
      },
    ],
  };
};

const askChrony = async (): Promise<Answer | null> => {
  const outcome = await runCommand('chronyc', ['-n', 'tracking'], { timeout: 2_000 });
  return outcome.ran && outcome.status === 0 ? parseChrony(outcome.stdout) : null;
};

/** Parses `chronyc -n tracking` (chronyc(1)). */
export const parseChrony = (text: string): Answer | null => {
  const field = (name: string): string | null =>
    new RegExp(`^${name}\\s*: (.*)$`, 'm').exec(text)?.[1]?.trim() ?? null;
  const leap = field('Leap status');
  if (leap === null) return null;
  return {
    synchronised: leap !== 'Not synchronised',
    according: 'chronyc tracking',
    evidence: `leap status ${leap}, reference ${field('Reference ID') ?? '?'}, system time ${field('System time') ?? '?'}`,
  };
};

const askOpenNtpd = async (): Promise<Answer | null> => {
  const outcome = await runCommand('ntpctl', ['-s', 'status'], { timeout: 2_000 });
  const state = outcome.ran ? /clock (synced|unsynced)/.exec(outcome.stdout)?.[1] : undefined;
  return state === undefined
    ? null
    : { synchronised: state === 'synced', according: 'ntpctl -s status', evidence: `clock ${state}` };
};

/** adjtimex is system call 159 on x86-64 and 171 in the generic table (arm64, riscv64). */
const systemCalls: Partial<Record<NodeJS.Architecture, number>> = { x64: 159, arm64: 171, riscv64: 171 };
const unsynchronised = 0x40; // STA_UNSYNC, include/uapi/linux/timex.h

/**
 * adjtimex(2) with modes 0, which only reads. Node has no system calls; Perl has, and perl-base is essential on
 * Debian and Ubuntu. struct timex on 64 bits: maxerror (µs) at 24, status at 40.
 */
const askKernel = async (): Promise<Answer | null> => {
  const number = systemCalls[process.arch];
  if (number === undefined) return null;
  const program = `my $b = "\\0" x 512; my $r = syscall(${number}, $b); print join(" ", $r, unpack("x24 q x8 i", $b))`;
  const outcome = await runCommand('perl', ['-e', program], { timeout: 2_000 });
  return outcome.ran && outcome.status === 0 ? parseTimex(outcome.stdout) : null;
};

/** `RESULT MAXERROR STATUS` of adjtimex(2). */
export const parseTimex = (text: string): Answer | null => {
  const match = /^(\d+) (-?\d+) (\d+)$/.exec(text.trim());
  if (match === null) return null;
  const [, , error = '0', status = '0'] = match;
  const synchronised = (Number(status) & unsynchronised) === 0;
  return {
    synchronised,
    according: 'the kernel (adjtimex)',
    evidence: synchronised
      ? `error at most ${Number(error) / 1000} ms`
      : 'status STA_UNSYNC: nothing disciplines the clock',
  };
};

const askTimedate = async (): Promise<Answer | null> => {
  const outcome = await runCommand('timedatectl', ['show'], { timeout: 2_000 });
  const value = outcome.ran ? /^NTPSynchronized=(yes|no)$/m.exec(outcome.stdout)?.[1] : undefined;
  return value === undefined
    ? null
    : { synchronised: value === 'yes', according: 'timedatectl', evidence: `NTPSynchronized=${value}` };
};

const askTimesync = (root: string): Answer | null =>
  statIfThere(`${root}/run/systemd/timesync/synchronized`) === null
    ? null
    : {
        synchronised: true,
        according: 'systemd-timesyncd',
        evidence: '/run/systemd/timesync/synchronized exists',
      };
