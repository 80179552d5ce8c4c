import { join } from 'node:path';
import type { StateDirectory } from '#base/state';
import type { UpOptions } from './options.ts';
import type { Pki } from './pki.ts';

/** What a process is told at its start: one JSON object, and no secret. */
export type ChildConfig = Record<string, unknown>;

/** One for each process but the agent; `null`: it is not to run. */
export type ChildConfigs = Record<
  'keeper' | 'receiver' | 'indexer' | 'console' | 'publisher',
  ChildConfig
> & {
  courier: ChildConfig | null;
  issuer: ChildConfig | null;
};

/**
 * What the options mean for each process, whoever starts it.
 * @param sockets where receiver and indexer make their sockets, where that is not in `run/` itself
 */
export const childConfigs = (
  state: StateDirectory,
  options: UpOptions,
  tokenFile: string,
  pki: Pki | null,
  sockets: { own: string; search: string } | null,
): ChildConfigs => ({
  keeper: { state: state.root, ...keeperWitnesses(options) },
  receiver: {
    state: state.root,
    listen: options.listen,
    allowed: options.allowed,
    limits: options.limits,
    tls: pki?.tls ?? null,
    ...(pki === null || pki.issuer === null ? {} : { asked: join(state.pki, 'asked') }),
    ...(sockets === null ? {} : { ownSocket: sockets.own }),
  },
  indexer: {
    state: state.root,
    memory: options.indexMemory,
    witnesses: options.witnesses.map(({ vkey }) => vkey),
    alerts: { rules: options.alerts, notify: options.notify.map(({ name }) => name) },
    ...(sockets === null ? {} : { socket: sockets.search }),
    ...(options.indexServer === null ? {} : { server: options.indexServer }),
  },
  console: { state: state.root, ...options.console, tokenFile },
  publisher: {
    state: state.root,
    ...(options.publish === null ? {} : { publish: options.publish }),
    witnesses: options.witnesses.map(({ vkey }) => vkey),
  },
  courier: courierConfig(state, options),
  issuer: pki === null || pki.issuer === null ? null : { state: state.root, ...pki.issuer },
});

/** Whose cosignatures the keeper waits for, and how many make a checkpoint witnessed. */
const keeperWitnesses = ({ witnesses, witnessQuorum }: UpOptions): ChildConfig =>
  witnesses.length === 0
    ? {}
    : { witnesses: { quorum: witnessQuorum, vkeys: witnesses.map(({ vkey }) => vkey) } };

/** What the courier brings to whom; `null` where there is nobody. */
const courierConfig = (
  { root }: StateDirectory,
  { witnesses, timestampAuthority, notify }: UpOptions,
): ChildConfig | null => {
  const outside = witnesses.flatMap(({ vkey, url }) => (url === null ? [] : [{ vkey, url }]));
  if (outside.length === 0 && timestampAuthority === null && notify.length === 0) return null;
  return {
    state: root,
    witnesses: outside,
    ...(timestampAuthority === null ? {} : { timestamps: { url: timestampAuthority } }),
    ...(notify.length === 0 ? {} : { notify }),
  };
};
