/** One door: a numeric address, and a port that is not 0. */
export type Target = { protocol: 'tcp' | 'udp'; address: string; port: number };

/**
 * What came back:
 *
 * - `open`: a TCP connection, or a datagram;
 * - `refused`: a reset, or ICMP "port unreachable";
 * - `silent`: nothing, so a packet filter drops it, or a UDP service saw no reason to answer;
 * - `unreachable`: no way there, which says nothing about the door.
 */
export type Answer = 'open' | 'refused' | 'silent' | 'unreachable';

const answers: readonly Answer[] = ['open', 'refused', 'silent', 'unreachable'];

/** The answer that a knock printed; `null` where it printed none. */
export const answerOf = (printed: string): Answer | null =>
  answers.find((answer) => answer === printed.trim()) ?? null;
