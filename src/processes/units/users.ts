import { readFileSync } from 'node:fs';
import type { AccountName } from '../up/accounts.ts';
import { UpError } from '../up/errors.ts';

/** In production each process has a named user of its own, made by deploy/sysusers.d, with a group of that name. */
export const userName = (name: AccountName): string => `holdfast-${name}`;

/** Uid and gid of a user, by passwd(5). @throws UpError `state-unusable` where there is no such user */
export const userIn = (passwd: string, name: AccountName): { uid: number; gid: number } => {
  const wanted = userName(name);
  for (const line of passwd.split('\n')) {
    const [user, , uid, gid] = line.split(':');
    if (user === wanted && uid !== undefined && gid !== undefined)
      return { uid: Number(uid), gid: Number(gid) };
  }
  throw new UpError(
    'state-unusable',
    `this host has no user ${wanted}: systemd-sysusers makes it from deploy/sysusers.d/holdfast.conf, which deploy/install.sh installs`,
  );
};

export const userOfThisHost = (name: AccountName): { uid: number; gid: number } =>
  userIn(readFileSync('/etc/passwd', 'utf8'), name);
