import { join } from 'node:path';
import { sha256 } from '#vault/tree';

/**
 * Files of a witness, in a directory of its own (`<state>/witness`):
 *
 *     witness.key                     private key, PKCS#8 PEM, 0600 (or wherever --key-file says)
 *     witness.vkey                    public key, one line
 *     lock                            held (fcntl) by the process that is this witness
 *     memory/<origin hash>            what is remembered of a log: the last note that was cosigned; memory.ts
 *     stopped/<origin hash>           why nothing is cosigned for it any more; evidence.ts
 *     evidence/<origin hash>/<hash>   notes that contradict each other, each under the SHA-256 of its bytes; those that
 *                                     are only suspected to, as suspected-<hash>
 *     tmp/                            files that are not whole yet
 */
export type WitnessLayout = {
  root: string;
  key: string;
  vkey: string;
  lock: string;
  memory: string;
  stopped: string;
  evidence: string;
  scratch: string;
};

export const witnessLayout = (root: string): WitnessLayout => ({
  root,
  key: join(root, 'witness.key'),
  vkey: join(root, 'witness.vkey'),
  lock: join(root, 'lock'),
  memory: join(root, 'memory'),
  stopped: join(root, 'stopped'),
  evidence: join(root, 'evidence'),
  scratch: join(root, 'tmp'),
});

/** By which files and paths name a log: SHA-256 of its origin, lower-case hexadecimal (tlog-witness, tlog-mirror). */
export const originHash = (origin: string): string => sha256(Buffer.from(origin)).toString('hex');
