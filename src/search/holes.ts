import { micros, type Micros } from '#base/clock';
import { formatMicros } from '#base/rfc3339';
import type { Hole, Index } from '#index';
import type { Answer } from '#wire/search';
import type { Query } from './query/expression.ts';
import { withdrawnBetween, type Place } from './withdrawn.ts';

type Gap = Answer['answer']['completeness']['gaps'][number];

/** Holes that are looked up in the table for one answer, the newest. */
const mostLookedUp = 10_000;
const perStatement = 1000;
/** Holes of the range that an answer names. */
const mostNamed = 20;

export type Holes = {
  gaps: Gap[];
  /** Holes of the range that are not among the gaps. */
  more: number;
  /** Holes of which it was not looked up whether they are of the range. */
  unplaced: number;
};

/** Numbers that never came and whose lines could be of the query's range. @throws IndexError */
export const holesOf = async (index: Index, query: Query): Promise<Holes> => {
  const found = index.state().numbering.holes();
  const lookedUp = found.slice(-mostLookedUp);
  const edges = await edgesOf(index, lookedUp);
  const inRange = lookedUp.flatMap((hole) => {
    const before = edges.get(keyOf(hole.stream, hole.first - 1));
    const after = edges.get(keyOf(hole.stream, hole.last + 1));
    if (query.since !== null && after !== undefined && after.latest < query.since) return [];
    if (query.until !== null && before !== undefined && before.earliest >= query.until) return [];
    return [gapOf(hole, before, after, index)];
  });
  return {
    gaps: inRange.slice(-mostNamed),
    more: Math.max(0, inRange.length - mostNamed),
    unplaced: found.length - lookedUp.length,
  };
};

/** When the line beside a hole came. Its own claim counts too: what is missing beside it may claim a time like it. */
type Edge = { received: Micros; earliest: Micros; latest: Micros; place: Place };

const keyOf = (stream: string, sequence: number): string => `${sequence} ${stream}`;

const edgesOf = async (index: Index, holes: readonly Hole[]): Promise<Map<string, Edge>> => {
  const edges = new Map<string, Edge>();
  const byStream = Map.groupBy(holes, ({ stream }) => stream);
  for (const [stream, ofStream] of byStream) {
    for (let at = 0; at < ofStream.length; at += perStatement) {
      const numbers = ofStream
        .slice(at, at + perStatement)
        .flatMap(({ first, last }) => [first - 1, last + 1]);
      const rows = await index.engine.rows(
        'interactive',
        `SELECT sequence, toUnixTimestamp64Micro(max(received)) AS came,
          toUnixTimestamp64Micro(least(min(received), min(time))) AS earliest,
          toUnixTimestamp64Micro(greatest(max(received), max(time))) AS latest,
          argMin(line, (entry, line)) AS at_line, min(entry) AS at_entry
        FROM lines WHERE stream = {stream:String} AND sequence IN (${numbers.join(', ')}) GROUP BY sequence`,
        { stream },
      );
      for (const row of rows)
        edges.set(keyOf(stream, Number(row['sequence'])), {
          received: micros(Number(row['came'])),
          earliest: micros(Number(row['earliest'])),
          latest: micros(Number(row['latest'])),
          place: { entry: Number(row['at_entry']), line: Number(row['at_line']) },
        });
    }
  }
  return edges;
};

/** The hole's place in time: between the lines whose numbers stand around it. */
const gapOf = (
  { stream, first, last }: Hole,
  before: Edge | undefined,
  after: Edge | undefined,
  index: Index,
): Gap => {
  const which = first === last ? `number ${first}` : `numbers ${first} to ${last}`;
  const withdrawn = withdrawnBetween(index.state(), before?.place ?? null, after?.place ?? null);
  const until = formatMicros(after?.received ?? before?.received ?? micros(0));
  return {
    sender: stream,
    cause:
      withdrawn === null
        ? `${which} never came`
        : `${which}: ${withdrawn.kind} under entry ${withdrawn.amendment}, or never came`,
    count: last - first + 1,
    from: before === undefined ? until : formatMicros(before.received),
    until,
  };
};
