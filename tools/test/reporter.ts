import type { TestEvent } from 'node:test/reporters';

/**
 * A reporter for `node --test`: one JSON line for each test that ended, so that the runner of all suites can count them
 * and quote the failures. Suites (describe blocks) and files are not counted, their tests are, and hooks that fail.
 */
export type Ended = {
  name: string;
  file: string;
  outcome: 'passed' | 'failed' | 'skipped';
  reason: string;
  milliseconds: number;
};

const outcomeOf = (event: TestEvent): Ended | null => {
  if (event.type !== 'test:pass' && event.type !== 'test:fail') return null;
  const { data } = event;
  // A suite fails along with its tests, which are counted; by its own hook it fails alone.
  if (
    data.details.type === 'suite' &&
    !(event.type === 'test:fail' && isHookFailure(event.data.details.error))
  )
    return null;
  const skipped = data.skip ?? data.todo;
  const failed = event.type === 'test:fail' && skipped === undefined;
  return {
    name: data.name,
    file: data.file ?? '',
    outcome: failed ? 'failed' : skipped === undefined ? 'passed' : 'skipped',
    reason:
      failed && 'error' in data.details
        ? describe(data.details.error)
        : typeof skipped === 'string'
          ? skipped
          : '',
    milliseconds: data.details.duration_ms,
  };
};

const isHookFailure = (error: Error): boolean => 'failureType' in error && error.failureType === 'hookFailed';

/** What the runner was waiting for when it was ended. */
const unfinished = (event: TestEvent): Ended[] =>
  event.type === 'test:interrupted'
    ? event.data.tests.map(({ name, file = '' }) => ({
        name,
        file,
        outcome: 'failed',
        reason: 'it had not ended when the runner was ended: it took too long, or waits for ever',
        milliseconds: 0,
      }))
    : [];

const describe = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? (error.cause.stack ?? error.cause.message) : '';
  return cause === '' ? (error.stack ?? error.message) : cause;
};

export default async function* report(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of source) {
    const ended = outcomeOf(event);
    for (const one of ended === null ? unfinished(event) : [ended]) yield `${JSON.stringify(one)}\n`;
  }
}
