import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { DatabaseSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { micros, systemClock, type Clock } from '#base/clock';
import { notificationFile, type Notification, type NotifyTarget } from '#wire/alert';
import { startDelivering, type DeliveringOptions } from './delivering.ts';
import { mailOf } from './mail.ts';

const store = '0a1b2c3d';
const time = '2026-05-12T03:00:00.000000Z';
const notificationOf = (number: number, text = '3 lines within 60 s'): Notification => ({
  id: `${store}-${number}`,
  rule: 'failed-logins',
  severity: 'error',
  notify: ['one'],
  log: 'log.example',
  time,
  query: 'app:sshd',
  watch: '3 lines within 60 s for each host',
  events: [
    {
      episode: `${store}-e${number}`,
      state: 'firing',
      of: { host: 'web1' },
      text,
      lines: 3,
      since: time,
      until: time,
      samples: [{ address: '1:2', time, host: 'web1', app: 'sshd', message: 'Failed password' }],
    },
  ],
  more: 0,
  look: "holdfast logs search 'app:sshd'",
});

describe('delivery', () => {
  let place: string;
  let hook: Server;
  let requests: string[];
  let answer: { status: number; headers?: Record<string, string> };
  let said: Record<string, unknown>[];

  before(async () => {
    hook = createServer((request, response) => {
      requests.push(request.url ?? '');
      request.resume().on('end', () => response.writeHead(answer.status, answer.headers).end('not today'));
    });
    await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve));
  });
  after(() => hook.close());
  beforeEach(() => {
    place = mkdtempSync(join(tmpdir(), 'holdfast-courier-'));
    mkdirSync(join(place, 'outbox'));
    requests = [];
    said = [];
    answer = { status: 200 };
  });
  afterEach(() => rmSync(place, { recursive: true, force: true }));

  const lay = (notification: Notification): void => {
    const number = Number(notification.id.split('-')[1]);
    writeFileSync(join(place, 'outbox', notificationFile.name(store, number)), JSON.stringify(notification));
  };
  const url = (path: string): string => {
    const address = hook.address();
    return `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}${path}`;
  };
  const webhook = (path = '/hook', giveUp = 1000): NotifyTarget => ({
    name: 'one',
    giveUp,
    how: { by: 'webhook', url: url(path), secretFile: null, caFile: null, timeout: 60 },
  });
  const command = (argv: string[], timeout = 60): NotifyTarget => ({
    name: 'one',
    giveUp: 1000,
    how: { by: 'command', argv, timeout },
  });
  const deliver = (
    target: NotifyTarget,
    clock: Clock = systemClock(),
    more: Partial<DeliveringOptions> = {},
  ): { stop(): Promise<void> } =>
    startDelivering({
      outbox: join(place, 'outbox'),
      directory: join(place, 'feeds'),
      targets: [target],
      say(kind, fields) {
        said.push({ kind, ...fields });
        return Promise.resolve();
      },
      clock,
      log: () => undefined,
      pollMs: 5,
      retryMs: 5,
      ...more,
    });
  const until = async (what: string, holds: () => boolean): Promise<void> => {
    for (let waited = 0; !holds(); waited += 5) {
      assert.ok(waited < 60_000, `${what}: ${JSON.stringify(said)}`);
      await sleep(5);
    }
  };
  const results = (): unknown[] => said.map(({ result }) => result);

  test('what does not succeed is tried again, each attempt is a line, and it is done once', async () => {
    answer = { status: 503 };
    lay(notificationOf(1));
    const first = deliver(webhook());
    await until('it was tried thrice', () => said.length >= 3);
    assert.match(String(said[0]?.['why']), /^status 503: not today$/);
    await first.stop();
    answer = { status: 200 };
    const second = deliver(webhook());
    await until('it is delivered', () => results().includes('delivered'));
    const count = requests.length;
    await sleep(50);
    await second.stop();
    // Neither again after another start, though the file is there still.
    const third = deliver(webhook());
    await sleep(50);
    await third.stop();
    assert.equal(requests.length, count);
    assert.equal(said.filter(({ result }) => result === 'delivered').length, 1);
    assert.ok(
      said.every(
        ({ kind, rule, id }) => kind === 'alert-delivery' && rule === 'failed-logins' && id === `${store}-1`,
      ),
    );
  });

  test('one that is always refused does not keep another from being delivered', async () => {
    lay(notificationOf(1, 'refused'));
    lay(notificationOf(2));
    const script = join(place, 'script');
    writeFileSync(
      script,
      '#!/bin/sh\ninput=$(cat)\ncase $input in *refused*) echo "no: $1" >&2; exit 3;; esac\n',
    );
    chmodSync(script, 0o755);
    const work = deliver(command([script, 'an argument; with no shell']));
    await until('the second is delivered', () => results().includes('delivered'));
    await until('the first was tried twice', () => results().filter((one) => one === 'failed').length >= 2);
    await work.stop();
    assert.equal(said.find(({ result }) => result === 'delivered')?.['id'], `${store}-2`);
    assert.equal(
      said.find(({ result }) => result === 'failed')?.['why'],
      'exit status 3: no: an argument; with no shell',
    );
  });

  test('a command that does not end is ended, with what it has started', async () => {
    const pid = join(place, 'pid');
    lay(notificationOf(1));
    const work = deliver(command(['/bin/sh', '-c', `sleep 300 & echo $! > ${pid}; wait`], 0.3));
    // Where its time is over before it has started anything, it is tried again.
    const started = (): number => (existsSync(pid) ? Number(readFileSync(pid, 'utf8')) : 0);
    await until('one has started its child', () => started() > 0);
    const child = started();
    await until('it failed', () => results().includes('failed'));
    const state = (): string => {
      try {
        return /^State:\s+(\w)/m.exec(readFileSync(`/proc/${child}/status`, 'utf8'))?.[1] ?? 'gone';
      } catch {
        return 'gone';
      }
    };
    await until('its child has ended', () => ['gone', 'Z'].includes(state()));
    await work.stop();
    assert.equal(said[0]?.['why'], 'not done within 0.3 s');
  });

  test('a redirect is not followed', async () => {
    answer = { status: 302, headers: { location: url('/elsewhere') } };
    lay(notificationOf(1));
    const work = deliver(webhook());
    await until('it failed', () => results().includes('failed'));
    await work.stop();
    assert.ok(requests.every((path) => path === '/hook'));
    assert.equal(said[0]?.['why'], 'status 302: redirects are not followed');
  });

  test('many that are refused hold up none for long', async () => {
    answer = { status: 500 };
    for (let number = 1; number <= 8; number += 1) lay(notificationOf(number));
    const work = deliver(webhook(), systemClock(), { retryMs: 100 });
    await until('each was tried', () => new Set(said.map(({ id }) => id)).size === 8);
    answer = { status: 200 };
    lay(notificationOf(9));
    await until('the ninth is delivered', () =>
      said.some(({ id, result }) => id === `${store}-9` && result === 'delivered'),
    );
    await work.stop();
  });

  test('what was delivered is not delivered again where its line cannot be said, and the end waits for none', async () => {
    lay(notificationOf(1));
    let refused = 0;
    const refusing = deliver(webhook(), systemClock(), {
      say() {
        refused += 1;
        return Promise.reject(new Error('the disk is full'));
      },
    });
    await until('its line is refused', () => refused > 0);
    await sleep(50);
    await refusing.stop();
    assert.equal(requests.length, 1);

    lay(notificationOf(2));
    let asked = false;
    const never = (): Promise<void> => {
      asked = true;
      return new Promise(() => undefined);
    };
    const waiting = deliver(webhook(), systemClock(), { say: never });
    await until('its line waits', () => asked);
    await waiting.stop();
    assert.equal(requests.length, 2);
    const third = deliver(webhook());
    await sleep(50);
    await third.stop();
    assert.equal(requests.length, 2);
  });

  test('what was delivered and cannot be kept as that, as on a full disk, is not delivered over and over', async () => {
    mkdirSync(join(place, 'feeds'));
    await deliver(webhook()).stop();
    const database = new DatabaseSync(join(place, 'feeds', 'deliveries.db'));
    database.exec(
      `CREATE TRIGGER full BEFORE DELETE ON delivery WHEN OLD.notification = '${store}-1'
        BEGIN SELECT RAISE(FAIL, 'database or disk is full'); END`,
    );
    database.close();
    lay(notificationOf(1));
    lay(notificationOf(2));
    const complaints: string[] = [];
    const work = deliver(webhook(), systemClock(), { log: (_level, text) => complaints.push(text) });
    await until('the other is delivered', () => results().includes('delivered'));
    await until('the one cannot be kept', () => complaints.length > 0);
    await sleep(100);
    await work.stop();
    assert.equal(requests.length, 2);
    assert.match(complaints[0] ?? '', /^what is delivered to one cannot be kept: database or disk is full$/);
  });

  test('what cannot be read now is delivered once it can', async () => {
    const name = join(place, 'outbox', notificationFile.name(store, 1));
    mkdirSync(name);
    const complaints: string[] = [];
    const work = deliver(webhook(), systemClock(), { log: (_level, text) => complaints.push(text) });
    await until('that it cannot be is said', () => complaints.length > 0);
    rmSync(name, { recursive: true });
    lay(notificationOf(1));
    await until('it is delivered', () => results().includes('delivered'));
    await work.stop();
    assert.match(complaints.join('\n'), /cannot be read, and waits: EISDIR[^\n]*$/);
  });

  test('an address that is a secret has to be one that nobody on the way can read', async () => {
    const file = join(place, 'address');
    writeFileSync(file, 'http://chat.example.net/secret\n');
    lay(notificationOf(1));
    const how = { by: 'webhook', url: file, secretFile: null, caFile: null, timeout: 60 } as const;
    const work = deliver({ name: 'one', giveUp: 1000, how });
    await until('it failed', () => results().includes('failed'));
    await work.stop();
    assert.equal(
      said[0]?.['why'],
      `the address in ${file} would send lines of the log in clear: use https://`,
    );
  });

  test('after its limit it is given up, and that is a line', async () => {
    answer = { status: 500 };
    let now = Date.UTC(2026, 4, 12, 3) * 1000;
    const clock: Clock = { now: () => micros(now), elapsed: () => performance.now() };
    lay(notificationOf(1));
    const work = deliver(webhook('/hook', 60), clock);
    await until('it failed', () => results().includes('failed'));
    now += 61_000_000;
    await until('it is given up', () => results().includes('given up'));
    const count = requests.length;
    await sleep(50);
    await work.stop();
    assert.equal(requests.length, count);
    assert.equal(said.at(-1)?.['severity'], 'critical');
  });
});

test('a mail says in its subject what happens where, and a line of log cannot write its headers', () => {
  const mail = mailOf(notificationOf(1));
  assert.equal(mail.subject, '[error] failed-logins: host web1: 3 lines within 60 s (log on log.example)');
  assert.equal(mail.messageId, `<${store}-1@log.example>`);
  assert.match(mail.text, /^ {6}2026-05-12 03:00:00 {2}web1 sshd: Failed password {2}\[1:2\]$/m);
  const forged = notificationOf(2);
  const [event] = forged.events;
  assert.ok(event);
  event.of['host'] = 'web1\r\nBcc: everybody@example.net';
  event.samples[0] = { ...(event.samples[0] ?? assert.fail()), message: 'a\r\n.\r\n\u001b[2J' };
  Object.assign(event.samples[0], { host: 'b\r\n.\r\n', app: '\u001b[2J' });
  forged.look = "holdfast logs search 'host:\u001b[2J\r\n.'";
  const { subject, text } = mailOf(forged);
  assert.doesNotMatch(`${subject}${text}`, /\r|\u001b|^Bcc|^\.$/m);
});
