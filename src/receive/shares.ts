import type { Clock } from '#base/clock';
import { networkOf } from '#base/network';
import { openBucket, type Bucket } from './bucket.ts';
import type { LedgerCause } from './ledger.ts';

/** What one sender of datagrams has sent of late. */
export type Share = { window: number; bytes: number; rate: Bucket };

export type ShareLimits = {
  /** Datagrams a second of one sender; a second's worth at once. */
  perSecond: number;
  /** With more than this queued for the disk, everybody's datagrams are dropped. */
  dropAbove: number;
};

/**
 * Who may still be heard when more datagrams come than the disk takes: UDP cannot be told to wait. Above half of
 * `dropAbove` those go first who have sent more than the average of this second's senders, so that one who floods
 * loses what it floods with, and not what others send.
 */
export type Shares = {
  /** All addresses of an IPv6 /64 have one. */
  of(address: string): Share;
  /** `null`: it is taken. @param pending bytes that wait for the disk */
  take(share: Share, bytes: number, pending: number): LedgerCause | null;
};

const windowMs = 1000;
const mostKnown = 16_384;

export const openShares = ({ perSecond, dropAbove }: ShareLimits, clock: Pick<Clock, 'elapsed'>): Shares => {
  let known = new Map<string, Share>();
  let window = 0;
  let senders = 0;
  let bytesOfAll = 0;

  return {
    of(address) {
      const network = networkOf(address);
      let share = known.get(network);
      if (share === undefined) {
        if (known.size >= mostKnown) known = new Map();
        share = { window: -1, bytes: 0, rate: openBucket(perSecond, 1, clock) };
        known.set(network, share);
      }
      return share;
    },
    take(share, bytes, pending) {
      if (!share.rate.take()) return 'sender rate';
      if (pending <= dropAbove / 2) return null;
      const now = Math.floor(clock.elapsed() / windowMs);
      if (now !== window) {
        window = now;
        senders = 0;
        bytesOfAll = 0;
      }
      if (share.window !== now) {
        share.window = now;
        share.bytes = 0;
        senders += 1;
      }
      share.bytes += bytes;
      bytesOfAll += bytes;
      return pending > dropAbove || share.bytes * senders > bytesOfAll + bytes * senders
        ? 'receiver congested'
        : null;
    },
  };
};
