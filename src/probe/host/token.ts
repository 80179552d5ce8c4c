import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { ProbeError } from './errors.ts';

/**
 * What is sent to a door that never answers, so that its host can tell that it came: a line of syslog with a token at a
 * fixed place. A token is 12 characters by which the probe is known and 4 that are the port, in hexadecimal, so that it
 * is known for which door it was sent wherever it was translated to.
 */
const before = '<13>holdfast-probe: ';

/** Bytes from the begin of the datagram's data to the token. */
export const tokenOffset = before.length;

const known = /^[a-z0-9]{12}$/;

/** @throws ProbeError `bad-token` */
export const parseToken = (text: string): string => {
  if (known.test(text)) return text;
  throw new ProbeError('bad-token', `'${text}' is no token: 12 lower case letters and digits`);
};

const alphabet = 'abcdefghijklmnopqrstuvwxyz012345';

/** @param random 12 random bytes */
export const makeToken = (random: Uint8Array): string =>
  [...random.subarray(0, 12)].map((byte) => alphabet[byte % alphabet.length]).join('');

/** The 16 characters for one port. */
export const tokenFor = (token: string, port: number): string =>
  `${token}${port.toString(16).padStart(4, '0')}`;

export const tokenDatagram = (token: string, port: number): Buffer =>
  Buffer.from(`${before}${tokenFor(token, port)}`);

/** Sends a token to each port, `times` over; the first round to all before the second. No answer is waited for. */
export const sendTokens = async (
  address: string,
  ports: readonly number[],
  { token, times }: { token: string; times: number },
  pace: () => Promise<void>,
): Promise<void> => {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  // What comes back is told by the question that was put before.
  socket.on('error', () => undefined);
  try {
    for (let round = 0; round < times; round++)
      for (const port of ports) {
        await pace();
        await new Promise<void>((resolve) => {
          socket.send(tokenDatagram(token, port), port, address, () => resolve());
        });
      }
  } finally {
    socket.close();
  }
};
