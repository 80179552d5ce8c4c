import { setTimeout as sleep } from 'node:timers/promises';
import { hit as hitSchema, type Hit } from '#wire/search';
import { testAnswer, type TestAnswer } from '#wire/alert';
import { printable } from '#base/printable';
import { text, type Command, type Context } from '../command.ts';
import { CliError } from '../errors.ts';
import { Exit } from '../exit.ts';
import { jsonLine } from '../json-line.ts';
import { callSearch } from '../search-socket.ts';

export const alertsTest: Command = {
  name: 'alerts test',
  summary:
    'have a test delivered to whom an alert notifies, or to one [[notify]], and see what becomes of it',
  arguments: '<name>',
  flags: [{ flags: '--wait <seconds>', description: 'how long to wait for word of it', default: '60' }],
  examples: ['holdfast alerts test failed-logins', 'holdfast alerts test admins --wait 20'],
  async run(context, [name = ''], flags) {
    const seconds = Number(text(flags, 'wait') ?? '60');
    if (!Number.isFinite(seconds) || seconds < 0)
      throw new CliError('usage', `--wait takes seconds, not '${text(flags, 'wait')}'`);
    const asked = await ask(context, name);
    const { io, json } = context;
    if (!json) io.err(`Test ${asked.id} is on its way to ${asked.notify.join(', ')} …\n`);
    const words = await heard(context, asked, seconds);
    if (json) io.out(jsonLine({ ...asked, deliveries: words }));
    else
      for (const { to, result, why } of words)
        io.out(`${to}: ${result}${why === '' ? '' : `: ${printable(why)}`}\n`);
    const silent = asked.notify.filter((target) => !words.some((word) => word.notify === target));
    if (silent.length > 0)
      throw new CliError(
        'not-running',
        `the courier has said nothing of ${silent.join(', ')} within ${seconds} s: look whether it runs, and at what it says of its own`,
      );
    return words.every(({ result }) => result === 'delivered') ? Exit.done : Exit.bad;
  },
};

const ask = async ({ state }: Context, name: string): Promise<TestAnswer> => {
  for await (const line of callSearch(state, 'POST', '/alerts/test', { name })) return testAnswer.parse(line);
  throw new CliError('refused', 'the indexer gave no answer');
};

type Word = { notify: string; to: string; result: string; why: string };

/** What the log has of the deliveries, once each has been tried, or as much as there is in the end. */
const heard = async (context: Context, { id, notify }: TestAnswer, seconds: number): Promise<Word[]> => {
  const until = performance.now() + seconds * 1000;
  for (;;) {
    const words = new Map<string, Word>();
    let wanted = 0;
    for (const { fields } of await deliveries(context, id)) {
      const { notify: target = '', to = '', result = '', why = '', of = '1' } = fields;
      words.set(`${target} ${to}`, { notify: target, to: `${target} (${to})`, result, why });
      wanted = Math.max(wanted, Number(of));
    }
    const found = [...words.values()];
    const all =
      notify.every((target) => found.some((word) => word.notify === target)) && found.length >= wanted;
    if (all || performance.now() >= until) return found;
    await sleep(Math.min(500, Math.max(0, until - performance.now())));
  }
};

const deliveries = async ({ state }: Context, id: string): Promise<Hit[]> => {
  const query = `app:holdfast kind=alert-delivery id="${id}" -kind=read`;
  const hits: Hit[] = [];
  for await (const line of callSearch(state, 'POST', '/search', { query, limit: 1000 })) {
    const hit = hitSchema.safeParse(line);
    if (hit.success) hits.push(hit.data);
  }
  return hits;
};
