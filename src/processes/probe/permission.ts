import { join } from 'node:path';
import { messageOf } from '#base/errors';
import { CliError } from '#cli';
import { readRegister } from '#pki/book';

/**
 * Only one's own hosts are probed: those that are enrolled here, and those that the operator answers for by name.
 * @returns why it may be
 * @throws CliError `refused`
 */
export const permissionToProbe = async (
  host: string,
  pki: string,
  operated: 'said' | 'not said',
): Promise<'enrolled' | 'operator'> => {
  if (operated === 'said') return 'operator';
  const names = await enrolledNames(pki);
  if (names.includes(host.toLowerCase())) return 'enrolled';
  throw new CliError(
    'refused',
    `${host} is not probed: it is not enrolled here ('holdfast hosts list' shows who is). If you operate it, or its operator asked you to, say so with --i-operate-this-host`,
  );
};

const enrolledNames = async (pki: string): Promise<string[]> => {
  const now = Date.now();
  try {
    const register = await readRegister(join(pki, 'issuer'));
    return [...(register?.certificates.values() ?? [])]
      .filter(({ revoked, expires }) => revoked === null && Date.parse(expires) > now)
      .map(({ name }) => name.toLowerCase());
  } catch (error) {
    throw new CliError(
      'refused',
      `which hosts are enrolled here cannot be read (${messageOf(error)}): run this as root, or say --i-operate-this-host`,
      { cause: error },
    );
  }
};
