import { readFileSync } from 'node:fs';
import { systemCode } from '#base/errors';
import type { OnBehalf } from '#wire/reader';

/** What /proc/self/loginuid holds where nobody has logged in. */
const nobody = '4294967295';

/**
 * Who sits behind the uid, for the record of a read: the uid that logged in, which the kernel keeps through su and sudo
 * (proc(5), `loginuid`), and the user whom sudo names. What a process says of itself proves nothing.
 */
export const loggedIn = (env: NodeJS.ProcessEnv): OnBehalf => {
  const login = loginUid();
  const sudo = env['SUDO_USER'] ?? '';
  return { ...(login === null ? {} : { login }), ...(sudo === '' ? {} : { sudo: sudo.slice(0, 256) }) };
};

const loginUid = (): string | null => {
  try {
    const uid = readFileSync('/proc/self/loginuid', 'utf8').trim();
    return uid === nobody || !/^\d+$/.test(uid) ? null : uid;
  } catch (error) {
    if (systemCode(error) === null) throw error;
    return null;
  }
};
