import { textOf } from '../host.ts';
import { namesIn, statIfThere } from '../patches/host-files.ts';
import { fromMilliseconds } from '../patches/times.ts';

/** What logrotate(8) takes care of. */
export type Rotation = {
  configured: boolean;
  /** Files and patterns that it rotates. */
  patterns: string[];
  /** Last run; RFC 3339. `null` = never, or it may not be seen. */
  lastRun: string | null;
};

export const examineRotation = (root: string): Rotation => {
  const main = textOf(`${root}/etc/logrotate.conf`);
  const parts = namesIn(`${root}/etc/logrotate.d`).map(
    (name) => textOf(`${root}/etc/logrotate.d/${name}`) ?? '',
  );
  const status = statIfThere(`${root}/var/lib/logrotate/status`);
  return {
    configured: main !== null,
    patterns: [main ?? '', ...parts].flatMap(parseLogrotate),
    lastRun: status === null ? null : fromMilliseconds(status.mtimeMs),
  };
};

/** Paths and patterns that stand before a `{ … }`, quoted or not, on one or several lines (logrotate(8)). */
export const parseLogrotate = (text: string): string[] => {
  const patterns: string[] = [];
  let inside = false;
  for (const line of text.split('\n').map((each) => each.replace(/#.*$/, ''))) {
    const open = line.indexOf('{');
    const heading = inside ? '' : open < 0 ? line : line.slice(0, open);
    for (const [, quoted, bare] of heading.matchAll(/"([^"]+)"|(?:^|\s)(\/[^\s"]+)/g)) {
      const pattern = quoted ?? bare ?? '';
      if (pattern.startsWith('/')) patterns.push(pattern);
    }
    if (open >= 0) inside = true;
    if (line.includes('}')) inside = false;
  }
  return patterns;
};
