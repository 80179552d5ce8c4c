import { closeSync, constants, openSync, readFileSync, readSync } from 'node:fs';
import { systemCode } from '#base/errors';

/** What one read of /dev/kmsg gives. */
export type RingRead =
  /** One record exactly as read: `<prefix>,<sequence>,<µs since boot>,<flags>;<text>LF`, then ` KEY=value LF` lines. */
  | { result: 'record'; sequence: number; raw: Buffer }
  /** The kernel has overwritten what was to be read next; the following read gives the oldest that is left. */
  | { result: 'overwritten' }
  | { result: 'nothing new' };

/** The kernel's log ring, from its oldest record on (Documentation/ABI/testing/dev-kmsg). */
export type Ring = {
  /** Changes with every boot; sequence numbers begin at 0 with it. */
  boot: string;
  read(): RingRead;
  close(): void;
};

/** Longer than any record; read(2) fails with EINVAL if the buffer is too short for one. */
const recordBytes = 32 * 1024;

/**
 * Opens /dev/kmsg without blocking: a blocking read would hold a thread of the pool for as long as the kernel is silent.
 * @throws the system's error: ENOENT in most containers, EPERM or EACCES without CAP_SYSLOG
 */
export const openRing = (path = '/dev/kmsg'): Ring => {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const buffer = Buffer.alloc(recordBytes);
  return {
    boot: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
    read() {
      try {
        const length = readSync(fd, buffer, 0, buffer.length, null);
        const raw = Buffer.from(buffer.subarray(0, length));
        const sequence = Number(/^\d+,(\d+),/.exec(raw.toString('latin1', 0, 64))?.[1]);
        return { result: 'record', sequence, raw };
      } catch (error) {
        if (systemCode(error) === 'EAGAIN') return { result: 'nothing new' };
        if (systemCode(error) === 'EPIPE') return { result: 'overwritten' };
        throw error;
      }
    },
    close: () => closeSync(fd),
  };
};
