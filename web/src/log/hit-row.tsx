import { memo } from 'react';
import { toneOf } from '../severity.ts';
import { localClock, localDay, utcMoment } from '../time.ts';
import type { Hit } from '../wire.ts';
import { Marked } from './highlight.tsx';

type Props = {
  hit: Hit;
  index: number;
  /** Distance from the top of the list, and height, in CSS pixels. */
  top: number;
  height: number;
  active: boolean;
  /** Show the day, too: not all lines are of today. */
  day: 'shown' | 'hidden';
  words: string[];
  onOpen(address: string): void;
};

const longestInRow = 2_000;

/** One line of the log as one row of the grid. */
export const HitRow = memo(({ hit, index, top, height, active, day, words, onOpen }: Props) => {
  const { word, tone } = toneOf(hit.severity);
  return (
    <div
      role="row"
      id={rowId(hit.address)}
      aria-rowindex={index + 1}
      aria-selected={active}
      className="hit"
      data-tone={tone}
      style={{ transform: `translateY(${top}px)`, height }}
      onClick={() => onOpen(hit.address)}
    >
      <time role="gridcell" className="when" dateTime={hit.time} title={utcMoment(hit.time)}>
        {day === 'shown' && <span className="day">{localDay(hit.time).slice(5)} </span>}
        {localClock(hit.time)}
      </time>
      <span role="gridcell" className="severity">
        {word}
      </span>
      <span
        role="gridcell"
        className="host"
        title={hit.host ?? `no host in the line; it came from ${hit.source}`}
      >
        {hit.host ?? '–'}
      </span>
      <span role="gridcell" className="app" title={hit.app ?? 'no application in the line'}>
        {hit.app ?? '–'}
      </span>
      <span role="gridcell" className="message">
        <Marked text={hit.message.slice(0, longestInRow)} words={words} />
      </span>
    </div>
  );
});
HitRow.displayName = 'HitRow';

export const rowId = (address: string): string => `line-${address}`;
