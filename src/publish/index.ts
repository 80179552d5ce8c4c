import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { hostname } from 'node:os';
import type { Clock } from '#base/clock';
import { messageOf } from '#base/errors';
import type { OwnLog } from '#base/own-log';
import type { StateDirectory } from '#base/state';
import { stopServer, type Transport } from '#http';
import { parseVkey, parseWitnessVkey } from '#vault/checkpoint';
import { openPublished, VaultError } from '#vault/tiles';
import { openCandidate, type CandidateTerms } from './candidate.ts';
import { defaultLimits, type PublishLimits } from './limits.ts';
import { listenTcp, listenUnix } from './listen.ts';
import { openOwnLine } from './own-line.ts';
import { openReception } from './reception.ts';
import type { Resources } from './resource.ts';
import { createPublishServer } from './server.ts';

export { PublishError, type PublishErrorCode } from './errors.ts';
export type { PublishLimits } from './limits.ts';

export type PublisherOptions = {
  /** Only the vault's public parts and the public key are read; nothing is written but the socket. */
  state: Pick<StateDirectory, 'vault' | 'vkeyFile' | 'ownSocket' | 'publishSocket'>;
  /** Also over TCP, in the clear. Port 0 is any free one. */
  tcp: { host: string; port: number } | null;
  /** Verification keys (type 0x04) of the witnesses whose cosignatures strangers may hand in. */
  witnesses: readonly string[];
  clock: Clock;
  log: OwnLog;
  limits?: Partial<PublishLimits>;
  /** How long witnesses are asked to cosign the same checkpoint. */
  candidate?: CandidateTerms;
};

export type Publisher = {
  /** `publish`: `HOST:PORT` as bound, where it serves over TCP; `publishSocket`: path of the unix socket. */
  addresses: Record<string, string>;
  /** Takes no new connection, lets answers under way end for a moment, closes. */
  stop(): Promise<void>;
};

/** How long answers under way may take at a stop. */
const lastAnswersMs = 300;

/**
 * Serves the vault's checkpoints, tiles and proofs to whoever asks, and takes cosignatures and contradictions from
 * witnesses: docs/formats/vault.md, "Over HTTP".
 * @throws PublishError: nothing is left listening; VaultFormatError for a witness key that is none
 */
export const startPublisher = async (options: PublisherOptions): Promise<Publisher> => {
  const { state, clock, log } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const vkey = (): string => readKey(state.vkeyFile);
  const resources: Resources = {
    published: openPublished(state.vault, () => parseVkey(vkey())),
    candidate: openCandidate(clock, options.candidate),
    vkey,
  };
  const own = openOwnLine({
    socket: state.ownSocket,
    host: hostname(),
    newStream: () => `publisher-${randomBytes(8).toString('hex')}`,
  });
  const reception = openReception({
    resources,
    witnesses: options.witnesses.map(parseWitnessVkey),
    own,
    clock,
    log,
    ...limits.statements,
  });
  const outgoing = { left: limits.outgoingBytes };
  const servers: Server[] = [];
  const create = (over: Transport): Server => {
    const server = createPublishServer(over, { resources, reception, limits, outgoing, log });
    servers.push(server);
    return server;
  };
  const stop = async (): Promise<void> => {
    await Promise.all(servers.map((server) => stopServer(server, lastAnswersMs)));
    own.close();
  };
  const addresses: Record<string, string> = { publishSocket: state.publishSocket };
  try {
    await listenUnix(create('unix'), state.publishSocket);
    if (options.tcp !== null) addresses['publish'] = await listenTcp(create('tcp'), options.tcp);
  } catch (error) {
    await stop();
    throw error;
  }
  return { addresses, stop };
};

/** @throws VaultError `absent` */
const readKey = (file: string): string => {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new VaultError('absent', `the public key cannot be read: ${messageOf(error)}`, { cause: error });
  }
};
