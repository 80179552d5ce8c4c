import { createPublicKey, verify, X509Certificate } from 'node:crypto';
import type { Clock } from '#base/clock';
import {
  enrolRequest,
  renewRequest,
  type Certified,
  type OperatorAnswer,
  type OperatorRequest,
  type RefusalCode,
} from '#wire/pki';
import type { Book, HostCertificate } from '../book/index.ts';
import { enrolStatement, renewStatement } from '../token/index.ts';
import { rfc3339, type Authority } from './authority.ts';
import { certifyHost, skew } from './certificate.ts';
import { digestOf } from '../key.ts';
import { readSigningRequest, type SigningRequest } from './signing-request.ts';

/** Not granted, and why. */
export type Refused = { refused: RefusalCode; message: string };
export type Granted = { certified: Certified };

export type Grants = {
  /** @param body JSON, from a stranger */
  enrol(body: Buffer, peer: string): Promise<Granted | Refused>;
  renew(body: Buffer, peer: string): Promise<Granted | Refused>;
  operator(request: OperatorRequest): Promise<OperatorAnswer>;
};

/** Valid certificates of one name: renewals overlap, and a host may be set up again. */
const mostPerName = 20;

const no = (refused: RefusalCode, message: string): Refused => ({ refused, message });

/**
 * What is granted to whom. Requests are taken one at a time, and each grant is in the book before it is told, so a token
 * is used up once, however its process ends. Whoever asks again with the same token and the same key gets the same
 * certificate again: its answer may have been lost.
 */
export const openGrants = (authority: Authority, book: Book, clock: Clock): Grants => {
  const { register } = book;
  const nowMs = (): number => Math.floor(clock.now() / 1000);

  /** A certificate counts as long after its end as it counts before its beginning: whose clock is behind may still renew it. */
  const isOver = ({ expires }: HostCertificate): boolean => Date.parse(expires) + skew <= nowMs();

  const isValid = ({ revoked, expires }: HostCertificate): boolean =>
    revoked === null && Date.parse(expires) > nowMs();

  const tell = ({ name, serial, expires, certificate }: HostCertificate): Granted => ({
    certified: { name, serial, expires, certificate, authority: authority.certificate },
  });

  /** One of this name and key that was issued before. */
  const heldBy = (name: string, { spki }: SigningRequest): HostCertificate | undefined =>
    [...register.certificates.values()].findLast(
      (one) => one.name === name && one.publicKey === digestOf(spki) && isValid(one),
    );

  const hasTooMany = (name: string): boolean =>
    [...register.certificates.values()].filter((one) => one.name === name && isValid(one)).length >=
    mostPerName;

  const tooMany = (name: string): Refused =>
    no(
      'too-many',
      `${mostPerName} certificates of ${name} are valid. Revoke those that are not used: holdfast hosts revoke`,
    );

  const certify = async (name: string, { spki }: SigningRequest, peer: string | null) => {
    const made = await certifyHost(authority.issuer, spki, name, nowMs());
    return {
      name,
      serial: made.serial,
      issued: rfc3339(made.issued),
      expires: rfc3339(made.expires),
      certificate: made.certificate,
      publicKey: digestOf(spki),
      peer,
    };
  };

  const entered = (serial: string): Granted => {
    const found = register.certificates.get(serial);
    if (found === undefined) throw new Error('a certificate is not in the register');
    return tell(found);
  };

  const enrol = async (body: Buffer, peer: string): Promise<Granted | Refused> => {
    const asked = parse(enrolRequest, body);
    if (asked === null) return no('bad-request', 'this is no request to enrol');
    const csr = Buffer.from(asked.csr, 'base64');
    const token = register.tokens.get(asked.token);
    // First of all, so that nothing else is looked at for a stranger.
    if (
      token === undefined ||
      !verify(null, enrolStatement(csr), spki(token.publicKey), Buffer.from(asked.proof, 'base64'))
    )
      return no('unknown-token', 'there is no such token');
    const request = await readSigningRequest(csr);
    if (typeof request === 'string') return no('bad-key', request);
    if (request.commonName?.toLowerCase() !== token.name.toLowerCase())
      return no(
        'wrong-name',
        `the token is for ${token.name}, and the request for ${request.commonName ?? 'no name'}`,
      );
    if (token.revoked) return no('used-token', 'the token was revoked');
    if (token.used) {
      const before = heldBy(token.name, request);
      if (before?.token === token.token) return tell(before);
      return no('used-token', 'the token was used before: ask for another with: holdfast hosts token');
    }
    if (Date.parse(token.expires) <= nowMs())
      return no(
        'expired-token',
        `the token was good until ${token.expires}: ask for another with: holdfast hosts token`,
      );
    if (hasTooMany(token.name)) return tooMany(token.name);
    const made = await certify(token.name, request, peer);
    await book.append({ kind: 'certificate-issued', ...made, token: token.token, by: null });
    return entered(made.serial);
  };

  const renew = async (body: Buffer, peer: string): Promise<Granted | Refused> => {
    const asked = parse(renewRequest, body);
    if (asked === null) return no('bad-request', 'this is no request to renew a certificate');
    const csr = Buffer.from(asked.csr, 'base64');
    const shown = readCertificate(asked.certificate);
    const known = shown === null ? undefined : register.certificates.get(shown.serialNumber.toUpperCase());
    // The very one that was issued: another of the same number is none of ours.
    if (
      shown === null ||
      known === undefined ||
      !shown.raw.equals(new X509Certificate(known.certificate).raw)
    )
      return no('unknown-certificate', 'the certificate was not issued here');
    const { asymmetricKeyType } = shown.publicKey;
    const proof = Buffer.from(asked.proof, 'base64');
    if (
      !verify(asymmetricKeyType === 'ed25519' ? null : 'sha256', renewStatement(csr), shown.publicKey, proof)
    )
      return no('bad-proof', 'the request is not signed by the key of the certificate');
    if (known.revoked !== null)
      return no('revoked-certificate', `the certificate was revoked: ${known.revoked.reason}`);
    if (isOver(known))
      return no(
        'expired-certificate',
        `the certificate ended ${known.expires}: enrol again, with a new token`,
      );
    const request = await readSigningRequest(csr);
    if (typeof request === 'string') return no('bad-key', request);
    const before = heldBy(known.name, request);
    if (before !== undefined && before.serial !== known.serial) return tell(before);
    if (hasTooMany(known.name)) return tooMany(known.name);
    const made = await certify(known.name, request, peer);
    await book.append({ kind: 'certificate-renewed', ...made, replaces: known.serial });
    return entered(made.serial);
  };

  const revoke = async (which: string, reason: string, by: string): Promise<OperatorAnswer> => {
    const serial = which.replaceAll(':', '').toUpperCase();
    const revoked = [...register.certificates.values()].filter(
      (one) =>
        one.revoked === null &&
        !isOver(one) &&
        (one.serial === serial || one.name.toLowerCase() === which.toLowerCase()),
    );
    const tokens = [...register.tokens.values()].filter(
      (one) =>
        !one.used &&
        !one.revoked &&
        Date.parse(one.expires) > nowMs() &&
        (one.token === which || one.name.toLowerCase() === which.toLowerCase()),
    );
    if (revoked.length === 0 && tokens.length === 0)
      return {
        kind: 'refused',
        error: 'nothing-to-revoke',
        message: `there is no valid certificate and no open token of '${which}': holdfast hosts list shows what there is`,
      };
    for (const one of revoked)
      await book.append({ kind: 'certificate-revoked', name: one.name, serial: one.serial, reason, by });
    for (const one of tokens)
      await book.append({ kind: 'token-revoked', token: one.token, name: one.name, reason, by });
    await authority.writeRevoked();
    return {
      kind: 'revoked',
      serials: revoked.map((one) => one.serial),
      tokens: tokens.map((one) => one.token),
    };
  };

  const operator = async (request: OperatorRequest): Promise<OperatorAnswer> => {
    switch (request.kind) {
      case 'token': {
        const { token, name, publicKey, by } = request;
        const expires = rfc3339(new Date(nowMs() + request.validSeconds * 1000));
        if (!register.tokens.has(token))
          await book.append({ kind: 'token-created', token, name, expires, publicKey, by });
        return { kind: 'token', name, expires, fingerprint: authority.fingerprint };
      }
      case 'sign': {
        const signing = await readSigningRequest(Buffer.from(request.csr, 'base64'));
        if (typeof signing === 'string') return { kind: 'refused', error: 'bad-key', message: signing };
        const before = heldBy(request.name, signing);
        if (before !== undefined) return { kind: 'certified', ...tell(before) };
        if (hasTooMany(request.name)) {
          const { refused: error, message } = tooMany(request.name);
          return { kind: 'refused', error, message };
        }
        const made = await certify(request.name, signing, null);
        await book.append({ kind: 'certificate-issued', ...made, token: null, by: request.by });
        return { kind: 'certified', ...entered(made.serial) };
      }
      case 'revoke':
        return revoke(request.which, request.reason, request.by);
    }
  };

  return { enrol, renew, operator };
};

const spki = (base64: string) =>
  createPublicKey({ key: Buffer.from(base64, 'base64'), format: 'der', type: 'spki' });

const readCertificate = (pem: string): X509Certificate | null => {
  try {
    return new X509Certificate(pem);
  } catch {
    return null;
  }
};

const parse = <T>(
  schema: { safeParse(value: unknown): { success: true; data: T } | { success: false } },
  body: Buffer,
): T | null => {
  try {
    const parsed = schema.safeParse(JSON.parse(body.toString('utf8')));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
};
