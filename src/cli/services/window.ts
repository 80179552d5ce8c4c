import type { UseBook } from '#inspect';
import type { Io } from '../io.ts';

/** `3 h 12 min`, `45 s` */
export const lengthOf = (milliseconds: number): string => {
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
};

const often = (milliseconds: number): string =>
  milliseconds < 1000 ? `${milliseconds} ms` : lengthOf(milliseconds);

/** For how long it was watched, which belongs to every answer about use. */
export const renderWindow = (io: Io, { since, watchedMs, everyMs }: UseBook): string =>
  io.paint(
    'dim',
    `watched for ${lengthOf(watchedMs)}, every ${often(everyMs)}, since ${since.slice(0, 19).replace('T', ' ')} UTC\n`,
  );
