import { setTimeout as sleep } from 'node:timers/promises';

/** How many may begin in a second. */
export type Rates = { tcp: number; udp: number };

/**
 * 20 connections a second are no load to a host. Linux sends one ICMP error a second to one address (`icmp_ratelimit`,
 * icmp(7)): faster, a closed UDP port would look silent.
 */
export const gentle: Rates = { tcp: 20, udp: 1 };

/** Returns when the next one may begin; those that wait keep their order. */
export const pacer = (perSecond: number): (() => Promise<void>) => {
  let next = 0;
  return async () => {
    const now = performance.now();
    const at = Math.max(now, next);
    next = at + 1000 / perSecond;
    if (at > now) await sleep(at - now);
  };
};
