import { Flag, Framing } from '#vault/record';
import type { Ledger } from './ledger.ts';
import type { Peer } from './stream-server.ts';
import type { FrameRun } from './syslog/framing.ts';

/**
 * Counts what a connection left unfinished as it ended. It is stored all the same, marked as torn.
 * @param deliver what stores it
 */
export const countTorn =
  <T>(ledger: Ledger, listener: string, { address }: Pick<Peer, 'address'>, deliver: (run: FrameRun) => T) =>
  (run: FrameRun): T => {
    if ((run.flags & Flag.torn) !== 0)
      ledger.lost(
        run.framing === Framing.octetCounted ? 'cut frame' : 'line without end',
        listener,
        1,
        address,
        run.length,
      );
    return deliver(run);
  };
