import { useSyncExternalStore } from 'react';

export const useMedia = (query: string): boolean =>
  useSyncExternalStore(
    (changed) => {
      const list = matchMedia(query);
      list.addEventListener('change', changed);
      return () => list.removeEventListener('change', changed);
    },
    () => matchMedia(query).matches,
  );

/** Too narrow for the log and the panel side by side. */
export const narrow = '(max-width: 999px)';
/** Too narrow for a line's columns side by side. */
export const slim = '(max-width: 699px)';
export const dark = '(prefers-color-scheme: dark)';
