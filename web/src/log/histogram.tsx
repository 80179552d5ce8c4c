import { useEffect, useMemo, useRef, useState } from 'react';
import uPlot from 'uplot';
import { count, localDay, localSeconds } from '../time.ts';
import { dark, useMedia } from '../use-media.ts';
import type { CountsAnswer, Hit } from '../wire.ts';
import { bucketsFrom, bucketsOf, type Buckets } from './buckets.ts';

/** CSS pixels; the note stands above the bars. */
const height = 84;
const noteHeight = 18;

type Props = {
  hits: Hit[];
  /** Counts of all that matches, where more matches than is shown. */
  counted: CountsAnswer | null;
  /** Lines that came since. */
  fresh: Hit[];
  onPick(from: number, until: number): void;
};

/** Lines over time, errors in front. A click goes to the first line of that moment. */
export const Histogram = ({ hits, counted, fresh, onPick }: Props) => {
  const holder = useRef<HTMLDivElement>(null);
  const [pointed, setPointed] = useState<number | null>(null);
  const isDark = useMedia(dark);
  const buckets = useMemo(
    () => (counted === null ? bucketsOf(hits) : bucketsFrom(counted, fresh)),
    [hits, counted, fresh],
  );
  const which = counted === null ? 'shown lines' : 'lines';
  const plot = useRef<uPlot | null>(null);
  const pick = useRef(onPick);
  const shown = useRef(buckets);
  useEffect(() => {
    pick.current = onPick;
    shown.current = buckets;
  });
  const drawn = buckets !== null;

  useEffect(() => {
    const element = holder.current;
    if (element === null || !drawn) return undefined;
    const made = new uPlot(
      options(element, (index) => setPointed(index)),
      [[], [], []],
      element,
    );
    const onClick = () => {
      const at = made.cursor.idx;
      const begin = typeof at === 'number' ? shown.current?.begins[at] : undefined;
      if (begin !== undefined) pick.current(begin * 1000, (begin + (shown.current?.width ?? 0)) * 1000);
    };
    made.over.addEventListener('click', onClick);
    const resized = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }));
    resized.observe(element);
    plot.current = made;
    return () => {
      plot.current = null;
      resized.disconnect();
      made.destroy();
    };
  }, [isDark, drawn]);

  useEffect(() => {
    if (buckets === null || plot.current === null) return;
    plot.current.setData([buckets.begins, buckets.lines, buckets.troubles], false);
    const last = (buckets.begins.at(-1) ?? 0) + buckets.width;
    plot.current.setScale('x', {
      min: (buckets.begins[0] ?? 0) - buckets.width / 2,
      max: last - buckets.width / 2,
    });
    plot.current.setScale('y', { min: 0, max: Math.max(...buckets.lines, 1) * 1.08 });
  }, [buckets, isDark]);

  if (buckets === null) return null;
  return (
    <div className="histogram" role="img" aria-label={said(buckets, which)}>
      <div ref={holder} className="histogram-plot" />
      <p className="histogram-note" aria-hidden="true">
        {pointed === null || buckets.begins[pointed] === undefined
          ? said(buckets, which)
          : bucketSaid(buckets, pointed)}
      </p>
    </div>
  );
};

const said = ({ begins, width, lines }: Buckets, which: string): string => {
  const total = lines.reduce((sum, value) => sum + value, 0);
  const first = (begins[0] ?? 0) * 1000;
  const last = ((begins.at(-1) ?? 0) + width) * 1000;
  const range =
    localDay(first) === localDay(last)
      ? `${localSeconds(first)} to ${localSeconds(last)}`
      : `${localDay(first)} ${localSeconds(first).slice(0, 5)} to ${localDay(last)} ${localSeconds(last).slice(0, 5)}`;
  return `${count(total)} ${which}, ${range}`;
};

const bucketSaid = ({ begins, width, lines, troubles }: Buckets, index: number): string => {
  const begin = (begins[index] ?? 0) * 1000;
  const bad = troubles[index] ?? 0;
  const value = lines[index] ?? 0;
  return `${localDay(begin)} ${localSeconds(begin)} – ${localSeconds(begin + width * 1000)}: ${count(value)} ${
    value === 1 ? 'line' : 'lines'
  }${bad > 0 ? `, ${count(bad)} of them errors` : ''}`;
};

/** As much of the moment as tells neighbouring labels apart. */
const axisLabel = (at: number, scale: uPlot.Scale | undefined): string => {
  const range = (scale?.max ?? 0) - (scale?.min ?? 0);
  if (range > 259_200) return localDay(at);
  if (range > 43_200) return `${localDay(at).slice(5)} ${localSeconds(at).slice(0, 5)}`;
  return localSeconds(at).slice(0, range > 900 ? 5 : 8);
};

const options = (element: HTMLElement, onPoint: (index: number | null) => void): uPlot.Options => {
  const style = getComputedStyle(element);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const bars = uPlot.paths.bars?.({ size: [0.82, 26], radius: 0.15 });
  const series = (fill: string): uPlot.Series => ({
    ...(bars === undefined ? {} : { paths: bars }),
    fill,
    width: 0,
    points: { show: false },
  });
  return {
    width: element.clientWidth,
    height,
    padding: [noteHeight, 0, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false, setScale: false }, points: { show: false } },
    scales: { x: { time: true, auto: false }, y: { auto: false, range: (_plot, min, max) => [min, max] } },
    axes: [
      {
        stroke: colour('--faint'),
        grid: { show: false },
        ticks: { show: false },
        size: 20,
        gap: 3,
        font: '11px system-ui, sans-serif',
        space: 110,
        values: ({ scales }, splits) => splits.map((at) => axisLabel(at * 1000, scales['x'])),
      },
      { show: false },
    ],
    series: [{}, series(colour('--bar')), series(colour('--error'))],
    hooks: {
      setCursor: [
        ({ cursor }) => onPoint(cursor.left !== undefined && cursor.left >= 0 ? (cursor.idx ?? null) : null),
      ],
    },
  };
};
