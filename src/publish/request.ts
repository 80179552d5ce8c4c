import { historyPath, historySpan, parseDecimal, parseVaultPath, type Tile } from '#vault/tree';

/** What a stranger asks for. Nothing of the request's own text goes any further. */
export type Asked =
  | { what: 'checkpoint' | 'candidate' | 'witnessed' | 'amendments' | 'vkey' }
  | { what: 'tile'; tile: Tile }
  | { what: 'history'; index: number }
  | { what: 'consistency'; from: number; to: number }
  | { what: 'inclusion'; entry: number; size: number }
  | { what: 'cosignature' }
  | { what: 'contradiction' };

/** Longest target that means anything: a proof between two sizes of 16 digits. */
const longest = 128;

/**
 * The target of a request by its grammar, which has one form for each thing: no escapes, no dots, no doubled slash, and
 * the parameters of a proof in their order. Segments and staging have none.
 * @returns `null` for anything else; `unclear` for a proof whose numbers are none
 */
export const parseTarget = (target: string): Asked | 'unclear' | null => {
  if (target.length > longest || !target.startsWith('/')) return null;
  switch (target) {
    case '/vkey':
      return { what: 'vkey' };
    case '/candidate':
      return { what: 'candidate' };
    case '/cosignature':
    case '/contradiction':
      return { what: target === '/cosignature' ? 'cosignature' : 'contradiction' };
  }
  if (target === '/proof/consistency' || target.startsWith('/proof/consistency?')) {
    const [from, to] = numbers(target, /^\/proof\/consistency\?from=([0-9]+)&to=([0-9]+)$/);
    return from === null || to === null ? 'unclear' : { what: 'consistency', from, to };
  }
  if (target === '/proof/inclusion' || target.startsWith('/proof/inclusion?')) {
    const [entry, size] = numbers(target, /^\/proof\/inclusion\?entry=([0-9]+)&size=([0-9]+)$/);
    return entry === null || size === null ? 'unclear' : { what: 'inclusion', entry, size };
  }
  return ofVault(target.slice(1));
};

const ofVault = (path: string): Asked | null => {
  const file = parseVaultPath(path);
  switch (file?.kind) {
    case 'checkpoint':
    case 'witnessed':
    case 'amendments':
      return { what: file.kind };
    case 'tile':
      return { what: 'tile', tile: file.tile };
    case 'history':
      return historyPath(file.index * historySpan) === path ? { what: 'history', index: file.index } : null;
    default:
      return null;
  }
};

const numbers = (target: string, form: RegExp): [number | null, number | null] => {
  const match = form.exec(target);
  return [parseDecimal(match?.[1] ?? ''), parseDecimal(match?.[2] ?? '')];
};
