import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { systemClock } from '#base/clock';
import type { CouldNotLook } from '#base/looked';
import { messageOf, systemCode } from '#base/errors';
import type { StateDirectory } from '#base/state';
import type { NotifyTarget } from '#wire/alert';
import { CliError, Exit, renderGaps, wrap, type Context, type Flags, type Io } from '#cli';
import { concernsOf, type Circumstances, type Concern } from './concerns.ts';
import { UpError } from './errors.ts';
import { optionsOf } from './flags.ts';
import type { UpOptions } from './options.ts';
import { tlsFilesOf } from './pki.ts';

/** Says what of a configuration is wrong or would hurt later. @throws CliError `usage` where it cannot be read */
export const check = ({ io, state, json }: Context, flags: Flags): Exit => {
  const options = checked(() => optionsOf(flags));
  const couldNotLook: CouldNotLook[] = [];
  const concerns = concernsOf(circumstances(options, state, couldNotLook));
  if (json) io.out(`${JSON.stringify({ listen: options.listen, concerns, couldNotLook })}\n`);
  else {
    io.out(concerns.map((concern) => render(io, concern)).join(''));
    io.err(renderGaps(io, couldNotLook));
    io.out(`${summary(concerns)}\n`);
  }
  return concerns.some(({ severity }) => severity === 'bad') ? Exit.bad : Exit.done;
};

const checked = <T>(act: () => T): T => {
  try {
    return act();
  } catch (error) {
    if (error instanceof UpError) throw new CliError('usage', error.message, { cause: error });
    throw error;
  }
};

const summary = (concerns: readonly Concern[]): string => {
  const count = (wanted: Concern['severity']): number =>
    concerns.filter(({ severity }) => severity === wanted).length;
  return `The configuration can be read. ${count('bad')} bad, ${count('warning')} to think about, ${count('note')} to know`;
};

const styles = { bad: 'red', warning: 'yellow', note: 'dim' } as const;

const render = (io: Io, { severity, what, why, remedy }: Concern): string =>
  `${io.paint(styles[severity], severity.toUpperCase().padEnd(8))} ${io.paint('bold', what)}\n` +
  wrap(why, io.width, '         ', '         ') +
  wrap(remedy, io.width, '           ', '         → ');

const circumstances = (
  { listen, allowed, witnesses, notify, indexServer }: UpOptions,
  state: StateDirectory,
  couldNotLook: CouldNotLook[],
): Circumstances => {
  /** @returns `null` where it is not there, or could not be looked at: then it says so. */
  const look = <T>(what: string, read: () => T): T | null => {
    try {
      return read();
    } catch (error) {
      if (systemCode(error) !== 'ENOENT')
        couldNotLook.push({
          what,
          why: messageOf(error),
          remedy: 'run it as root, or as the user who runs Holdfast',
        });
      return null;
    }
  };
  const number = (path: string): number | null => look(path, () => Number(readFileSync(path, 'utf8')));
  return {
    listen,
    allowed,
    witnesses: witnesses.length,
    indexServer:
      indexServer === null
        ? null
        : {
            url: indexServer.url,
            cluster: indexServer.cluster,
            passwordFile: indexServer.passwordFile,
            passwordMode:
              indexServer.passwordFile === null
                ? null
                : look('the password for the index', () => statSync(indexServer.passwordFile ?? '').mode),
            ca: indexServer.caFile === null ? null : existsSync(indexServer.caFile) ? 'there' : 'missing',
          },
    uid: process.getuid?.() ?? 0,
    rmemMax: number('/proc/sys/net/core/rmem_max'),
    openFiles: look('/proc/self/limits', hardOpenFiles),
    unprivilegedPort: number('/proc/sys/net/ipv4/ip_unprivileged_port_start') ?? 1024,
    certificateEnds: look('the certificate of this host', () =>
      certificateEnds(tlsFilesOf(state).certificate),
    ),
    notifyFiles: notify.flatMap((target) =>
      filesOf(target).map((file) => ({
        notify: target.name,
        ...file,
        mode: look(file.path, () => statSync(file.path).mode),
      })),
    ),
    now: systemClock().now(),
  };
};

/** Names without `/` are credentials of a unit, which nobody sees from here. */
const filesOf = ({ how }: NotifyTarget): { path: string; secret: boolean }[] => {
  const secrets =
    how.by === 'email'
      ? [how.passwordFile]
      : how.by === 'webhook'
        ? [how.secretFile, how.url.includes('://') ? null : how.url]
        : [];
  const others = how.by === 'command' ? how.argv.slice(0, 1) : [how.caFile];
  return [
    ...secrets.map((path) => ({ path, secret: true })),
    ...others.map((path) => ({ path, secret: false })),
  ].flatMap(({ path, secret }) => (path === null || !path.includes('/') ? [] : [{ path, secret }]));
};

/** Node raises its soft limit to the hard one. */
const hardOpenFiles = (): number => {
  const hard = /^Max open files\s+\S+\s+(\d+|unlimited)/m.exec(
    readFileSync('/proc/self/limits', 'utf8'),
  )?.[1];
  return hard === 'unlimited' ? Infinity : Number(hard);
};

const certificateEnds = (path: string): number =>
  Date.parse(new X509Certificate(readFileSync(path)).validTo) * 1000;
