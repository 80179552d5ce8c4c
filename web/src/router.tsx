import { createRootRoute, createRouter } from '@tanstack/react-router';
import { Page } from './page.tsx';
import { PageFailed } from './page-failed.tsx';

/** What the address bar holds, so that a search can be kept and sent to a colleague on the same machine. */
export type Address = {
  q: string;
  /** Follow the log; on unless the address says `live=0`. */
  live: boolean;
};

/** The router writes back what it reads and compares: both ways must be each other's inverse. */
const readAddress = (text: string): Address => {
  const search = new URLSearchParams(text);
  return { q: search.get('q') ?? '', live: search.get('live') !== '0' };
};

const writeAddress = ({ q, live }: Partial<Address>): string => {
  const search = new URLSearchParams();
  if (q !== undefined && q !== '') search.set('q', q);
  if (live === false) search.set('live', '0');
  return search.size === 0 ? '' : `?${search}`;
};

const root = createRootRoute({
  component: Page,
  errorComponent: PageFailed,
  validateSearch: ({ q, live }: Record<string, unknown>): Address => ({
    q: typeof q === 'string' ? q : '',
    live: live !== false,
  }),
});

export const router = createRouter({
  routeTree: root,
  parseSearch: readAddress,
  stringifySearch: writeAddress,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
