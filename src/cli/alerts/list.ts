import { printable } from '#base/printable';
import { alertState, type AlertState } from '#wire/alert';
import type { Command } from '../command.ts';
import { Exit } from '../exit.ts';
import type { Io } from '../io.ts';
import { jsonLine } from '../json-line.ts';
import { callSearch } from '../search-socket.ts';
import { table } from '../table.ts';

export const alertsList: Command = {
  name: 'alerts list',
  summary: 'each rule: how it stands, when it fired last, and what became of the last delivery',
  examples: ['holdfast alerts list', 'holdfast alerts list --json'],
  async run({ io, state, json }) {
    const states: AlertState[] = [];
    for await (const line of callSearch(state, 'POST', '/alerts', {})) states.push(alertState.parse(line));
    if (json) io.out(jsonLine(states));
    else if (states.length === 0)
      io.out('No alert is configured: each is an [[alert]] of the configuration file (docs/alerts.md).\n');
    else io.out(`${table(io, head, states.map(cells))}${states.map((one) => more(io, one)).join('')}`);
    return Exit.done;
  },
};

const head = ['ALERT', 'STATE', 'FIRES AT', 'LAST FIRED', 'LAST DELIVERY'];

const cells = ({ rule, state, count, watch, lastFiring, lastDelivery }: AlertState): string[] => [
  rule,
  state === 'firing' && count > 1 ? `firing (${count})` : state,
  watch,
  lastFiring?.slice(0, 19).concat('Z') ?? 'never',
  lastDelivery === null
    ? '-'
    : `${lastDelivery.time.slice(0, 19)}Z ${lastDelivery.result}, ${lastDelivery.to}${lastDelivery.why === null ? '' : `: ${lastDelivery.why}`}`,
];

/** What does not fit into a line of the table. */
const more = (io: Io, { rule, state, detail, firing, count, behind }: AlertState): string => {
  const lines = firing.map(({ of, text, since }) => `${keyInWords(of)}${text}, since ${since.slice(0, 19)}Z`);
  if (count > firing.length) lines.push(`and ${count - firing.length} more`);
  if (detail !== null) lines.push(detail);
  if (behind > 0)
    lines.push(
      behind === 1
        ? '1 entry of the log is still to be looked at'
        : `${behind} entries of the log are still to be looked at`,
    );
  if (lines.length === 0) return '';
  return `\n${io.paint(['broken', 'failing', 'firing'].includes(state) ? 'red' : 'dim', `${rule}:`)}\n${lines.map((line) => `  ${line.split('\n').map(printable).join('\n  ')}\n`).join('')}`;
};

const keyInWords = (of: Readonly<Record<string, string>>): string => {
  const values = Object.entries(of).map(([name, value]) => `${name} ${value === '' ? '(none)' : value}`);
  return values.length === 0 ? '' : `${values.join(', ')}: `;
};
