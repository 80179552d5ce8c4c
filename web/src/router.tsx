import { createRootRoute, createRouter } from '@tanstack/react-router';
import { asAddress, readAddress, writeAddress } from './address.ts';
import { Page } from './page.tsx';
import { PageFailed } from './page-failed.tsx';

const root = createRootRoute({ component: Page, errorComponent: PageFailed, validateSearch: asAddress });

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
