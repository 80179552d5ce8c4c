import type { Door } from './door.ts';

/** Doors that are looked at whatever the host says of itself: what is found open where it should not be. */
const tcp = [
  21, 22, 23, 25, 53, 80, 110, 111, 139, 143, 389, 443, 445, 465, 512, 513, 514, 515, 587, 631, 636, 873, 993,
  995, 1433, 1521, 1883, 2049, 2181, 2375, 2376, 2379, 3000, 3260, 3306, 3389, 4369, 5000, 5432, 5601, 5666,
  5672, 5900, 5984, 6000, 6379, 6443, 6514, 8000, 8009, 8080, 8086, 8443, 8500, 9000, 9090, 9092, 9100, 9200,
  9300, 10000, 10050, 10250, 11211, 15672, 25672, 27017, 33060,
];

const udp = [53, 69, 111, 123, 137, 161, 514, 2049, 5060, 5353, 11211];

export const wellKnownDoors: readonly Door[] = [
  ...tcp.map((port) => ({ protocol: 'tcp', port }) as const),
  ...udp.map((port) => ({ protocol: 'udp', port }) as const),
];
