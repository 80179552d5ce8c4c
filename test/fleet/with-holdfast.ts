import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../harness/up.ts';
import type { HostOptions } from './host.ts';

/** A host that has this very tree as its `holdfast`. */
export const withHoldfast = (options: HostOptions): HostOptions => ({
  ...options,
  bind: [...(options.bind ?? []), { from: root, to: '/usr/src/holdfast' }],
  prepare: (directory) => {
    mkdirSync(join(directory, 'usr/local/bin'), { recursive: true });
    writeFileSync(
      join(directory, 'usr/local/bin/holdfast'),
      '#!/bin/sh\nexec /usr/src/holdfast/bin/holdfast "$@"\n',
      { mode: 0o755 },
    );
    options.prepare?.(directory);
  },
});
