import type { HostCertificate, KnownToken } from '#pki/book';
import type { Command } from '../command.ts';
import { Exit } from '../exit.ts';
import { jsonLine } from '../json-line.ts';
import { table } from '../table.ts';
import { readBook } from './issuer.ts';

export const hostsList: Command = {
  name: 'hosts list',
  summary: 'who holds a certificate, until when, who is revoked, and which tokens are open',
  examples: ['holdfast hosts list', 'holdfast hosts list --json'],
  async run({ io, state, json }) {
    const register = await readBook(state);
    const now = Date.now();
    const certificates = [...(register?.certificates.values() ?? [])].toSorted(
      (a, b) => a.name.localeCompare(b.name) || a.issued.localeCompare(b.issued),
    );
    const tokens = [...(register?.tokens.values() ?? [])].filter((token) => isOpen(token, now));
    const authority =
      register?.authority === null || register === null
        ? null
        : { fingerprint: register.authority.fingerprint, expires: register.authority.expires };
    if (json) {
      io.out(
        jsonLine({
          authority,
          certificates: certificates.map((one) => ({
            name: one.name,
            serial: one.serial,
            issued: one.issued,
            expires: one.expires,
            state: stateOf(one, now),
            revoked: one.revoked,
          })),
          tokens: tokens.map(({ token, name, expires }) => ({ token, name, expires })),
        }),
      );
      return Exit.done;
    }
    if (authority === null) {
      io.out("there is no authority here yet: 'holdfast up' makes it where a listener speaks TLS\n");
      return Exit.done;
    }
    io.out(`authority ${authority.fingerprint}, until ${day(authority.expires)}\n\n`);
    if (certificates.length === 0) io.out('nobody holds a certificate\n');
    else
      io.out(
        table(
          io,
          ['NAME', 'STATE', 'ISSUED', 'EXPIRES', 'SERIAL', 'REASON'],
          certificates.map((one) => [
            one.name,
            stateOf(one, now),
            day(one.issued),
            day(one.expires),
            one.serial,
            one.revoked?.reason ?? '',
          ]),
        ),
      );
    if (tokens.length > 0)
      io.out(
        `\n${table(
          io,
          ['OPEN TOKEN FOR', 'EXPIRES', 'TOKEN'],
          tokens.map(({ name, expires, token }) => [name, expires, token]),
        )}`,
      );
    return Exit.done;
  },
};

const day = (time: string): string => time.slice(0, 10);

const stateOf = ({ revoked, expires }: HostCertificate, now: number): 'valid' | 'revoked' | 'ended' =>
  revoked !== null ? 'revoked' : Date.parse(expires) > now ? 'valid' : 'ended';

const isOpen = ({ used, revoked, expires }: KnownToken, now: number): boolean =>
  !used && !revoked && Date.parse(expires) > now;
