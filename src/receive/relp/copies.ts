/**
 * How many of the next messages of a sender may be copies of what it has sent before: after a lost answer it sends again
 * what it holds for unanswered, and RELP has nothing by which a copy could be told.
 */
export type Copies = {
  /** A session begins. @returns how many of its first messages may be copies */
  begin(sender: string): number;
  /** It ended. @param doubtful how many messages the next session may bring again */
  end(sender: string, doubtful: number): void;
};

/** librelp's usual window: messages that a sender may leave unanswered. */
export const usualWindow = 128;

/** More senders than these are forgotten, the oldest first; a forgotten one is doubted like one never seen. */
const mostSenders = 10_000;

/** Remembers nothing of an earlier receiver: the first messages of every sender may be copies. */
export const openCopies = (): Copies => {
  const doubtful = new Map<string, number>();
  const set = (sender: string, count: number): void => {
    doubtful.delete(sender);
    doubtful.set(sender, count);
    if (doubtful.size <= mostSenders) return;
    const [oldest] = doubtful.keys();
    if (oldest !== undefined) doubtful.delete(oldest);
  };
  return {
    begin(sender) {
      const count = doubtful.get(sender) ?? usualWindow;
      set(sender, 0);
      return count;
    },
    end(sender, count) {
      set(sender, Math.max(count, doubtful.get(sender) ?? 0));
    },
  };
};
