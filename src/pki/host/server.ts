import { once } from 'node:events';
import { request } from 'node:https';
import { isIP } from 'node:net';
import { connect, type DetailedPeerCertificate, type SecureContextOptions } from 'node:tls';
import { X509Certificate } from 'node:crypto';
import { messageOf } from '#base/errors';
import { certified, refused, type Certified } from '#wire/pki';
import { PkiError } from '../errors.ts';
import { fingerprintOf } from '../fingerprint.ts';

export type Server = { host: string; port: number };

const withinMs = 20_000;
const mostAnswer = 64 * 1024;

const shown = ({ host, port }: Server): string => `${host.includes(':') ? `[${host}]` : host}:${port}`;
const nameFor = (host: string): { servername?: string } => (isIP(host) === 0 ? { servername: host } : {});

/**
 * Looks which authority a server shows, and takes it if it has this fingerprint. Nothing is sent.
 * @param fingerprint `sha256:` and 64 hexadecimal digits
 * @returns PEM
 * @throws PkiError `wrong-authority`, `unreachable`
 */
export const fetchAuthority = async (server: Server, fingerprint: string): Promise<string> => {
  const socket = connect({
    host: server.host,
    port: server.port,
    ...nameFor(server.host),
    minVersion: 'TLSv1.2',
    // It is judged by its fingerprint, here below; what is sent later goes to a server that was verified by it.
    rejectUnauthorized: false,
    timeout: withinMs,
  });
  try {
    socket.on('timeout', () => socket.destroy(new Error('no answer in time')));
    await once(socket, 'secureConnect');
    const chain = chainOf(socket.getPeerCertificate(true));
    const found = chain.find((one) => fingerprintOf(one) === fingerprint);
    if (found !== undefined) return new X509Certificate(found).toString();
    const last = chain.at(-1);
    throw new PkiError(
      'wrong-authority',
      `${shown(server)} is not of the authority with the fingerprint ${fingerprint}` +
        `${last === undefined ? '' : `; it shows ${fingerprintOf(last)}`}. Nothing was sent to it. Compare with 'holdfast hosts list' on the log's host`,
    );
  } catch (error) {
    if (error instanceof PkiError) throw error;
    throw new PkiError('unreachable', `${shown(server)} cannot be reached over TLS: ${messageOf(error)}`, {
      cause: error,
    });
  } finally {
    socket.destroy();
  }
};

/** DER, from the server's own to the last one that it sent. */
const chainOf = (leaf: DetailedPeerCertificate): Buffer[] => {
  const chain: Buffer[] = [];
  for (let at: DetailedPeerCertificate | undefined = leaf; at?.raw !== undefined && chain.length < 8;) {
    chain.push(at.raw);
    // The last one is its own issuer.
    at = at.issuerCertificate === at ? undefined : at.issuerCertificate;
  }
  return chain;
};

/**
 * Asks for a certificate. The server must show one of the authority's, for its name.
 * @throws PkiError `refused`, `unreachable`
 */
export const askServer = async (
  server: Server,
  path: '/enrol' | '/renew',
  body: unknown,
  identity: Pick<SecureContextOptions, 'ca' | 'key' | 'cert'>,
): Promise<Certified> => {
  const { status, text } = await post(server, path, JSON.stringify(body), identity).catch(
    (error: unknown) => {
      throw new PkiError('unreachable', `${shown(server)} did not answer ${path}: ${messageOf(error)}`, {
        cause: error,
      });
    },
  );
  if (status === 201) {
    const given = certified.safeParse(parseJson(text));
    if (given.success) return given.data;
  }
  const why = refused.safeParse(parseJson(text));
  throw new PkiError(
    'refused',
    why.success
      ? `${shown(server)} refused: ${why.data.message} (${why.data.error})`
      : `${shown(server)} answered with status ${status}: ${text.trim().slice(0, 300)}`,
  );
};

const post = async (
  { host, port }: Server,
  path: string,
  body: string,
  identity: Pick<SecureContextOptions, 'ca' | 'key' | 'cert'>,
): Promise<{ status: number; text: string }> => {
  const sent = request({
    host,
    port,
    path,
    method: 'POST',
    agent: false,
    minVersion: 'TLSv1.2',
    ...nameFor(host),
    ...identity,
    timeout: withinMs,
    headers: { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) },
  });
  sent.on('timeout', () => sent.destroy(new Error('no answer in time')));
  sent.end(body);
  const [response] = await once(sent, 'response');
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) {
    text += String(chunk);
    if (text.length > mostAnswer) throw new Error('the answer is too long');
  }
  return { status: Number(response.statusCode), text };
};

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
};
