import { addressKind } from './address.ts';
import type { Protocol, Scope } from './report.ts';

/** What of a network namespace matters to who can reach it. */
export type Surroundings = 'own' | 'other' | 'other, with no interface but lo';

/** Who can send bytes to an endpoint, by its address alone. See `Scope` for what each word promises. */
export const scopeOf = (protocol: Protocol, address: string, surroundings: Surroundings): Scope => {
  if (surroundings === 'other, with no interface but lo') return 'local';
  if (protocol === 'packet') {
    if (address === 'lo') return 'local';
    return surroundings === 'own' ? 'public' : 'container';
  }
  if (protocol === 'unix') return surroundings === 'own' ? 'local' : 'container';
  const kind = addressKind(address);
  if (kind === 'loopback') return 'local';
  if (surroundings === 'other') return 'container';
  return kind === 'private' ? 'network' : 'public';
};
