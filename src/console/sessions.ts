import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Clock } from '#base/clock';

/** Who may read: a browser that showed the token. Kept in memory, so a restart of the console ends them all. */
export type Sessions = {
  /** A new session id (256 random bits, base64url) if `offered` is the token, else `null`. */
  open(offered: string): string | null;
  /** Whether `id` names a live session. */
  holds(id: string): boolean;
};

/** By what a session is called in the log: it does not open it. */
export const sessionName = (id: string): string => digest(`name ${id}`).toString('hex').slice(0, 12);

const lifetimeMs = 12 * 3_600_000;
const mostSessions = 64;

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

export const openSessions = (token: string, clock: Clock): Sessions => {
  const wanted = digest(token);
  /** SHA-256 of the id → when it ends. Looking up a digest tells a prober nothing about the ids that exist. */
  const live = new Map<string, number>();
  return {
    open(offered) {
      // Digests have equal lengths, so the comparison takes the same time whatever was offered.
      if (!timingSafeEqual(digest(offered), wanted)) return null;
      const id = randomBytes(32).toString('base64url');
      const oldest = live.keys().next().value;
      if (live.size >= mostSessions && oldest !== undefined) live.delete(oldest);
      live.set(digest(id).toString('hex'), clock.elapsed() + lifetimeMs);
      return id;
    },
    holds(id) {
      const key = digest(id).toString('hex');
      const ends = live.get(key);
      if (ends === undefined) return false;
      if (clock.elapsed() < ends) return true;
      live.delete(key);
      return false;
    },
  };
};

/** The value of one cookie in a Cookie header (RFC 6265 §5.4), or `null`. */
export const cookieValue = (header: string | undefined, name: string): string | null => {
  for (const pair of (header ?? '').split(';')) {
    const equals = pair.indexOf('=');
    if (equals > 0 && pair.slice(0, equals).trim() === name) return pair.slice(equals + 1).trim();
  }
  return null;
};
