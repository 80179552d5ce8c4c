import { ProbeError } from './errors.ts';

/** A port that is looked at. */
export type Door = { protocol: 'tcp' | 'udp'; port: number };

/** `tcp/3306`. */
export const nameOfDoor = ({ protocol, port }: Door): string => `${protocol}/${port}`;

/** More than this at once is a scan of something else than one's own services. */
const mostDoors = 4096;

/**
 * `tcp/22,udp/53,tcp/8000-8010`; a number alone is TCP.
 * @throws ProbeError `bad-ports`
 */
export const parseDoors = (text: string): Door[] => {
  const doors = text.split(',').flatMap((part) => parsePart(part.trim()));
  if (doors.length > mostDoors)
    throw new ProbeError('bad-ports', `${doors.length} ports are too many: at most ${mostDoors} at once`);
  return unique(doors);
};

const parsePart = (part: string): Door[] => {
  const [, protocol = 'tcp', first = '', last = first] =
    /^(?:(tcp|udp)\/)?(\d{1,5})(?:-(\d{1,5}))?$/.exec(part) ?? [];
  const from = Number(first);
  const to = Number(last);
  if (first === '' || from < 1 || to > 65_535 || to < from)
    throw new ProbeError('bad-ports', `'${part}' is no port: write tcp/22, udp/53 or tcp/8000-8010`);
  return Array.from({ length: to - from + 1 }, (_, index) => ({
    protocol: protocol === 'udp' ? 'udp' : 'tcp',
    port: from + index,
  }));
};

/** Each door once, TCP first, by port. */
export const unique = (doors: readonly Door[]): Door[] =>
  [...new Map(doors.map((door) => [nameOfDoor(door), door])).values()].toSorted(
    (a, b) => a.protocol.localeCompare(b.protocol) || a.port - b.port,
  );
