/**
 * What is remembered of senders' sessions, to tell which messages may have been delivered before: a sender that has not
 * had an answer sends the message again, first of all in its next session, whether it was stored or not.
 *
 * Sessions carry no name. So of each sender two things are kept: how many of its sessions have ended without another
 * having begun since, and the most messages that any of those may have left in doubt. Each session that begins may be
 * the one that follows that one. A session that follows none that is known (the first since the receiver started or
 * since the sender was forgotten, or one that begins while those before it seem to be open still) may bring a whole
 * window of copies.
 */
export type Sessions = {
  /** Messages that a sender may have on their way without an answer, as far as is not known better. */
  readonly window: number;
  /**
   * A session has begun.
   * @param sender name in its certificate, or address
   * @returns how many of its first messages may be copies
   */
  begin(sender: string): number;
  /** @param inDoubt messages of which the sender may not know that they were stored */
  end(sender: string, inDoubt: number): void;
};

/** librelp's RELP_DFLT_WINDOW_SIZE; rsyslog's omrelp has `windowSize` for more, and nothing on the wire tells. */
const defaultWindow = 128;
/** Beyond these, who has been silent for longest is forgotten: strangers choose their addresses. */
const mostSenders = 10_000;

export const rememberSessions = (window = defaultWindow, most = mostSenders): Sessions => {
  const senders = new Map<string, { ended: number; inDoubt: number }>();
  const known = (sender: string): { ended: number; inDoubt: number } => {
    const entry = senders.get(sender) ?? { ended: 0, inDoubt: 0 };
    senders.delete(sender);
    senders.set(sender, entry);
    if (senders.size > most) for (const oldest of senders.keys()) return forget(oldest, entry);
    return entry;
  };
  const forget = <Entry>(sender: string, kept: Entry): Entry => {
    senders.delete(sender);
    return kept;
  };
  return {
    window,
    begin(sender) {
      const entry = known(sender);
      if (entry.ended === 0) return window;
      const { inDoubt } = entry;
      entry.ended -= 1;
      if (entry.ended === 0) entry.inDoubt = 0;
      return inDoubt;
    },
    end(sender, inDoubt) {
      const entry = known(sender);
      entry.ended += 1;
      entry.inDoubt = Math.max(entry.inDoubt, inDoubt);
    },
  };
};
