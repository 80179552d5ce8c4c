import { homedir } from 'node:os';
import { join } from 'node:path';

/** The state directory: one writer for each part, as the table in docs/architecture.md says. */
export type StateDirectory = {
  root: string;
  intake: string;
  vault: string;
  index: string;
  keys: string;
  spool: string;
  /** What the courier has still to send. */
  feeds: string;
  /** What the indexer has still to say: who read what, what fires. */
  outbox: string;
  /** What is kept of alerts, and the notifications that the courier is to deliver. */
  alerts: string;
  /** Certificates: the authority's, the receiver's, and which ones are revoked. */
  pki: string;
  /** What was changed on this host, each fix with the old bytes. The fixer's. */
  fixes: string;
  run: string;
  /** Unix socket of the receiver: what Holdfast itself has to say goes in here. */
  ownSocket: string;
  /** Unix socket of the indexer: search, tail, SQL. */
  searchSocket: string;
  /** Unix socket of the publisher: checkpoints, tiles and proofs over HTTP. */
  publishSocket: string;
  /** Written when every process serves; removed at a clean stop. */
  readyFile: string;
  /** The public verification key, one line (C2SP signed-note vkey). */
  vkeyFile: string;
};

export const stateDirectory = (root: string): StateDirectory => ({
  root,
  intake: join(root, 'intake'),
  vault: join(root, 'vault'),
  index: join(root, 'index'),
  keys: join(root, 'keys'),
  spool: join(root, 'spool'),
  feeds: join(root, 'feeds'),
  outbox: join(root, 'outbox'),
  alerts: join(root, 'alerts'),
  pki: join(root, 'pki'),
  fixes: join(root, 'fixes'),
  run: join(root, 'run'),
  ownSocket: join(root, 'run', 'own.sock'),
  searchSocket: join(root, 'run', 'search.sock'),
  publishSocket: join(root, 'run', 'publisher', 'publish.sock'),
  readyFile: join(root, 'run', 'ready.json'),
  vkeyFile: join(root, 'keys', 'vault.vkey'),
});

/**
 * `$HOLDFAST_STATE`, else `/var/lib/holdfast` for root, else `$XDG_STATE_HOME/holdfast` (default
 * `~/.local/state/holdfast`).
 */
export const defaultStateRoot = (env: NodeJS.ProcessEnv, uid: number): string => {
  const named = env['HOLDFAST_STATE'] ?? '';
  if (named !== '') return named;
  return uid === 0
    ? '/var/lib/holdfast'
    : join(env['XDG_STATE_HOME'] || join(homedir(), '.local', 'state'), 'holdfast');
};
