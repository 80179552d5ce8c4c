import type { FastifyInstance } from 'fastify';
import { SearchError, type ReadRoutes } from '#search';
import { testRequest, type TestAnswer } from '#wire/alert';
import type { Alerts } from './alerts.ts';
import { AlertError } from './errors.ts';

/** What runs of alerts: `null` where none are configured. */
export type Alerting = { alerts: Alerts } | { broken: string } | null;

/** What src/wire/alert.ts says of run/search.sock. How rules stand shows values of lines, so asking for it is a read. */
export const alertRoutes =
  (alerting: Alerting) =>
  (app: FastifyInstance, reads: ReadRoutes): void => {
    const running = (): Alerts | null => {
      if (alerting !== null && 'broken' in alerting) throw new SearchError('internal', alerting.broken);
      return alerting?.alerts ?? null;
    };
    reads.read('/alerts', async (_body, out) => {
      for (const state of (await running()?.list()) ?? []) await out.line(state);
    });

    app.post('/alerts/test', (request): TestAnswer => {
      const parsed = testRequest.safeParse(request.body);
      if (!parsed.success) throw new SearchError('bad-request', 'the request is {"name": NAME}');
      const some = running();
      if (some === null)
        throw new SearchError('bad-request', 'no alert and no notify is configured (docs/alerts.md)');
      try {
        return some.test(parsed.data.name);
      } catch (error) {
        if (error instanceof AlertError && error.code === 'unknown-name')
          throw new SearchError('bad-request', error.message, { cause: error });
        throw error;
      }
    });
  };
