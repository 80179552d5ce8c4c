import { join } from 'node:path';
import { listIfThere, readIfThere } from './host-files.ts';

/** One archive that the host takes packages from (sources.list(5)): one for each URI and suite of an entry. */
export type SourceEntry = {
  kind: 'deb' | 'deb-src';
  uri: string;
  suite: string;
  components: string[];
  enabled: boolean;
  /** `[trusted=yes]`: signatures are not checked. */
  trusted: boolean;
  file: string;
};

/** Entries of `/etc/apt/sources.list` and `sources.list.d/*.{list,sources}`. Throws where a file cannot be read. */
export const readSources = (root: string): SourceEntry[] => {
  const main = `${root}/etc/apt/sources.list`;
  const parts = `${root}/etc/apt/sources.list.d`;
  const entries = parseOneLine(readIfThere(main) ?? '', main);
  for (const name of listIfThere(parts)) {
    const path = join(parts, name);
    if (name.endsWith('.list')) entries.push(...parseOneLine(readIfThere(path) ?? '', path));
    else if (name.endsWith('.sources')) entries.push(...parseDeb822(readIfThere(path) ?? '', path));
  }
  return entries;
};

const oneLine = /^(deb|deb-src)\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s*(.*)$/;

export const parseOneLine = (text: string, file: string): SourceEntry[] =>
  text.split('\n').flatMap((line): SourceEntry[] => {
    const match = oneLine.exec(line.replace(/#.*$/, '').trim());
    if (match === null) return [];
    const [, kind, options = '', uri = '', suite = '', components = ''] = match;
    return [
      {
        kind: kind === 'deb-src' ? 'deb-src' : 'deb',
        uri,
        suite,
        components: words(components),
        enabled: true,
        trusted: /(?:^|\s)trusted=(?:yes|true|1)\b/.test(options),
        file,
      },
    ];
  });

export const parseDeb822 = (text: string, file: string): SourceEntry[] =>
  text
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .join('\n')
    .split(/\n\s*\n/)
    .flatMap((stanza): SourceEntry[] => {
      const fields = new Map<string, string>();
      for (const [, key = '', value = ''] of stanza.matchAll(/^([A-Za-z][\w-]*):((?:.*)(?:\n[ \t].*)*)/gm)) {
        fields.set(key.toLowerCase(), value);
      }
      const list = (name: string): string[] => words(fields.get(name) ?? '');
      const enabled = !/^(?:no|false|0|off)$/i.test((fields.get('enabled') ?? 'yes').trim());
      const trusted = /^(?:yes|true|1|on)$/i.test((fields.get('trusted') ?? 'no').trim());
      return list('types')
        .filter((kind) => kind === 'deb' || kind === 'deb-src')
        .flatMap((kind) =>
          list('uris').flatMap((uri) =>
            list('suites').map((suite) => ({
              kind,
              uri,
              suite,
              components: list('components'),
              enabled,
              trusted,
              file,
            })),
          ),
        );
    });

const words = (text: string): string[] =>
  text
    .trim()
    .split(/\s+/)
    .filter((word) => word !== '');
