import { printable } from '#base/printable';
import type { AlertEvent, Notification, Sample } from '#wire/alert';

/** A mail as a person reads it, woken by it. */
export type Mail = { subject: string; text: string; headers: Record<string, string>; messageId: string };

const longestSubject = 140;

export const mailOf = (notification: Notification): Mail => {
  const { id, rule, log, severity, events } = notification;
  const domain = log.includes('.') ? log : `${log}.holdfast`;
  return {
    subject: subjectOf(notification),
    text: textOf(notification),
    messageId: `<${id}@${domain}>`,
    headers: {
      // No out-of-office notice, please (RFC 3834).
      'Auto-Submitted': 'auto-generated',
      // Mail programs put what fires and its recovery together.
      References: [...new Set(events.map(({ episode }) => `<${episode}@${domain}>`))].slice(0, 10).join(' '),
      'X-Holdfast-ID': id,
      'X-Holdfast-Alert': rule,
      'X-Holdfast-Severity': severity,
    },
  };
};

const count = (events: readonly AlertEvent[], wanted: AlertEvent['state']): number =>
  events.filter(({ state }) => state === wanted).length;

const subjectOf = ({ rule, severity, events, more, log }: Notification): string => {
  const [only] = events;
  const over = events.every(({ state }) => state === 'recovered');
  const tag = only?.state === 'test' ? 'test' : over ? 'recovered' : severity;
  const what =
    events.length === 1 && more === 0 && only !== undefined
      ? `${keyOf(only)}${only.state === 'recovered' ? only.text.split(';')[0] : only.text}`
      : summary(events, more);
  const subject = printable(`[${tag}] ${rule}: ${what}`);
  return `${subject.length > longestSubject ? `${subject.slice(0, longestSubject)}…` : subject} (log on ${log})`;
};

const summary = (events: readonly AlertEvent[], more: number): string => {
  const parts = (
    [
      ['firing', 'firing'],
      ['seen', 'new'],
      ['broken', 'not evaluated'],
      ['recovered', 'recovered'],
    ] as const
  ).flatMap(([state, word]) => (count(events, state) > 0 ? [`${count(events, state)} ${word}`] : []));
  return [...parts, ...(more > 0 ? [`${more} more`] : [])].join(', ');
};

const textOf = (notification: Notification): string => {
  const { rule, severity, log, query, watch, events, more, look, id, time } = notification;
  const groups = (
    [
      ['firing', 'Firing'],
      ['seen', 'New'],
      ['broken', 'Not evaluated'],
      ['recovered', 'Recovered'],
      ['test', 'Test'],
    ] as const
  ).flatMap(([state, title]) => {
    const some = events.filter((event) => event.state === state);
    return some.length === 0 ? [] : [`${title}:\n\n${some.map(paragraph).join('\n')}`];
  });
  return [
    ...groups,
    ...(more > 0 ? [`… and ${more} more of the same moment; each is a line in the log.\n`] : []),
    ...(look === null ? [] : [`To see the lines, on ${log}:\n\n    ${printable(look)}\n`]),
    [
      `Alert      ${rule} (${severity})`,
      `Waits for  ${watch}`,
      ...(query === '' ? [] : [`Query      ${printable(query)}`]),
      `Log        ${log}`,
      `Sent       ${shortTime(time)} UTC, notification ${id}`,
    ].join('\n'),
    '',
  ].join('\n');
};

const keyOf = ({ of }: AlertEvent): string => {
  const parts = Object.entries(of).map(([name, value]) => `${name} ${printable(value) || '(none)'}`);
  return parts.length === 0 ? '' : `${parts.join(', ')}: `;
};

const paragraph = (event: AlertEvent): string =>
  [
    `  ${keyOf(event)}${printable(event.text)}`,
    ...(event.state === 'test' ? [] : [`  ${span(event)} UTC`]),
    ...event.samples.map((line) => `      ${sampleLine(line)}`),
    '',
  ].join('\n');

const sampleLine = ({ time, host, app, message, address }: Sample): string =>
  printable(
    `${shortTime(time)}  ${[host, app].filter((name) => name !== null).join(' ')}: ${message}  [${address}]`,
  );

const shortTime = (time: string): string => time.slice(0, 19).replace('T', ' ');

/** `2026-11-27 06:35:04 to 06:36:04` */
const span = ({ since, until }: AlertEvent): string => {
  const [from, to] = [shortTime(since), shortTime(until)];
  if (from === to) return from;
  return `${from} to ${from.slice(0, 10) === to.slice(0, 10) ? to.slice(11) : to}`;
};
