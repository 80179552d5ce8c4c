import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { chmodSync, chownSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { notification, alertState, type AlertState, type Notification } from '#wire/alert';
import { documentedBlocks } from '../harness/documents.ts';
import { newMailServer, noMailServer, type MailServer } from '../harness/mail-server.ts';
import { removeState, run, search, startUp, temporaryState, until, type RunningUp } from '../harness/up.ts';

/**
 * Alerts from the line to the mail: a real Holdfast, Exim, an HTTP server, a program. The mail server is away at first, and
 * indexer and courier are killed on the way.
 */
const skip = noMailServer() ?? false;
const state = temporaryState();
const place = mkdtempSync(join(tmpdir(), 'holdfast-alerts-'));
const written = join(place, 'notifications.jsonl');
const secret = 'the key of the signature';
let mail: MailServer;
let hook: Server;
let up: RunningUp;

type Posted = { headers: IncomingHttpHeaders; body: string };
const posted: Posted[] = [];
/** What is done before the next answer. */
let beforeAnswer: (() => Promise<void>) | null = null;

const portOf = (server: Server): number => {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
};

/** A file that the courier may read, also where it has a user of its own. */
const secretFile = (name: string, text: string): string => {
  const file = join(place, name);
  writeFileSync(file, `${text}\n`, { mode: 0o400 });
  chownSync(file, 61707, 61707);
  return file;
};

const configuration = (): string => `
[[alert]]
name = "failed-logins"
query = 'app:sshd "failed password"'
count = 3
# Longer than these tests take, on a busy machine too.
within = "20m"
by = "host"
severity = "error"
notify = ["admins", "hook", "program"]

[[alert]]
name = "silent"
query = "host:beat"
silence = "host"
after = "4s"
learn = "0s"
notify = "admins"

[[notify]]
name = "admins"
email = ["root@example.net", "night@example.net"]
from = "holdfast@log.example.net"
server = "smtp://127.0.0.1:${mail.port}"
user = "${mail.user}"
password-file = "${secretFile('password', mail.password)}"
ca-file = "${mail.certificate}"

[[notify]]
name = "hook"
webhook = "http://127.0.0.1:${portOf(hook)}/hooks/a-secret-path"
secret-file = "${secretFile('secret', secret)}"

[[notify]]
name = "program"
command = ["/usr/bin/tee", "-a", "${written}"]
`;

before(async () => {
  if (skip !== false) return;
  chmodSync(place, 0o777);
  mail = await newMailServer();
  hook = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      posted.push({ headers: request.headers, body });
      const first = beforeAnswer;
      beforeAnswer = null;
      void (first?.() ?? Promise.resolve()).then(() => response.writeHead(204).end());
    });
  });
  await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve));
  const config = join(place, 'holdfast.toml');
  writeFileSync(config, configuration());
  up = await startUp(state, ['--no-agent', '--config', config]);
});

after(async () => {
  if (skip === false) {
    await up.interrupt();
    await mail.remove();
    hook.closeAllConnections();
    hook.close();
  }
  removeState(state);
  rmSync(place, { recursive: true, force: true });
});

const send = (host: string, app: string, message: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const socket = createConnection(up.syslogTcp(), '127.0.0.1');
    socket.on('error', reject).on('close', () => resolve());
    socket.end(`<38>1 ${new Date().toISOString()} ${host} ${app} 1 - - ${message}\n`);
  });

const said = (query: string): Record<string, string>[] =>
  // A read that was recorded has the query in it, and so the same words.
  search(state, `app:holdfast ${query} -kind=read`).hits.map(({ fields }) => fields);

/** How many lines there are of it; 0 also while the indexer is away. */
const heard = (query: string): number => {
  try {
    return said(query).length;
  } catch {
    return 0;
  }
};

const states = (): AlertState[] => {
  const { status, stdout, stderr } = run('alerts', 'list', '--json', '--state', state.root);
  assert.equal(status, 0, stderr);
  return alertState.array().parse(JSON.parse(stdout));
};

const kill = (name: 'courier' | 'indexer'): void => {
  const pid = up.ready().processes[name]?.pid;
  assert.ok(pid !== undefined, `${name} runs`);
  process.kill(pid, 'SIGKILL');
};

const programGot = (): Notification[] =>
  (existsSync(written) ? readFileSync(written, 'utf8') : '')
    .split('\n')
    // What stands behind the last line end is still being written.
    .slice(0, -1)
    .map((line) => notification.parse(JSON.parse(line)));

/** Headers and text of a mail, whatever way it was encoded and folded. */
const readable = (raw: string): string =>
  raw
    .replaceAll('=\n', '')
    .replaceAll('=3D', '=')
    .replaceAll(/\n[ \t]/g, ' ');
const patience = 60_000;

describe('alerts, from the line to whom they wake', { skip }, () => {
  test('what fires is a line, and goes out by webhook and command; where mail fails is a line too', async () => {
    for (const last of [5, 6, 7]) await send('web1', 'sshd', `Failed password for root from 10.0.0.${last}`);
    await until('the program has it', () => programGot().length > 0, patience);
    await until('the webhook has it', () => posted.length > 0, patience);
    const [one] = programGot();
    assert.equal(one?.rule, 'failed-logins');
    assert.deepEqual(one.events[0]?.of, { host: 'web1' });
    assert.equal(one.events[0].samples.length, 3);
    const [request] = posted;
    assert.equal(request?.headers['holdfast-delivery'], one.id);
    const [, seconds = '', mac] =
      /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(request.headers['holdfast-signature'])) ?? [];
    assert.equal(mac, createHmac('sha256', secret).update(`${seconds}.${request.body}`).digest('hex'));
    assert.deepEqual(JSON.parse(request.body), one);
    await until(
      'that mail failed is a line',
      () => heard('kind=alert-delivery notify=admins result=failed') > 0,
      patience,
    );
    const [failed] = said('kind=alert-delivery notify=admins result=failed');
    assert.match(failed?.['why'] ?? '', /ECONNREFUSED/);
    await until('that it fires is a line', () => heard('kind=alert rule=failed-logins') > 0, patience);
    assert.equal(said('kind=alert rule=failed-logins state=firing').length, 1);
    // The address may hold a secret, and the log is read by more people than the configuration.
    assert.equal(search(state, 'app:holdfast "a-secret-path" -kind=read').answer.count, 0);
  });

  test('indexer and courier may be killed: it fires no second time, and the mail comes once the server is there', async () => {
    kill('indexer');
    kill('courier');
    await mail.start();
    await until('both have the mail', () => mail.mails().length >= 2, patience);
    await until(
      'both deliveries are lines',
      () => heard('kind=alert-delivery notify=admins result=delivered') >= 2,
      patience,
    );
    const mails = mail.mails().map(readable);
    assert.equal(mails.length, 2);
    assert.deepEqual(mails.map((text) => /^Envelope-to: (.*)$/m.exec(text)?.[1]).toSorted(), [
      'night@example.net',
      'root@example.net',
    ]);
    const [text = ''] = mails;
    assert.match(text, /^Subject: \[error\] failed-logins: host web1: 3 lines within 20 min \(log on /m);
    assert.match(text, /^X-Holdfast-ID: [0-9a-f]+-1$/m);
    assert.match(text, /Failed password for root from 10\.0\.0\.7/);
    assert.match(text, /holdfast logs search 'app:sshd "failed password" host:"web1" since:/);
    assert.match(mail.log(), /A=plain:holdfast/, 'it logged in');
    assert.match(mail.log(), / X=TLS1\./, 'over TLS');
    assert.equal(said('kind=alert rule=failed-logins state=firing').length, 1);
    const [listed] = states();
    assert.equal(listed?.state, 'firing');
    assert.equal(listed.lastDelivery?.result, 'delivered');
  });

  test('a courier that is killed while it delivers delivers again, under the same id', async () => {
    const had = posted.length;
    beforeAnswer = () => {
      kill('courier');
      return Promise.resolve();
    };
    for (const last of [5, 6, 7]) await send('web2', 'sshd', `Failed password for root from 10.0.0.${last}`);
    await until('the webhook has it twice', () => posted.length >= had + 2, patience);
    const ids = posted.slice(had).map(({ headers }) => headers['holdfast-delivery']);
    assert.equal(new Set(ids).size, 1);
    const firing = 'kind=alert rule=failed-logins state=firing of.host=web2';
    await until('that it fires is a line', () => heard(firing) > 0, patience);
    assert.equal(said(firing).length, 1);
  });

  test('silence of who used to speak fires, and so does its end; a quiet log alone is none', async () => {
    await send('beat', 'app', 'I am here');
    await until(
      'its silence is a line',
      async () => {
        // What others say shows that the log goes on.
        await send('web3', 'app', 'still here');
        return heard('kind=alert rule=silent state=firing') > 0;
      },
      patience,
    );
    const [silent] = said('kind=alert rule=silent state=firing');
    assert.equal(silent?.['of.host'], 'beat');
    assert.match(silent['text'] ?? '', /^nothing for \d+ s; usually /);
    await send('beat', 'app', 'I am here again');
    await until('its end is a line', () => heard('kind=alert rule=silent state=recovered') > 0, patience);
    await until(
      'nobody is silent',
      async () => {
        // It is silent again soon.
        await send('beat', 'app', 'I am here still');
        return states().find(({ rule }) => rule === 'silent')?.count === 0;
      },
      patience,
    );
  });

  test('alerts test delivers a test and says what became of it', async () => {
    const tested = run('alerts', 'test', 'program', '--state', state.root);
    assert.equal(tested.status, 0, tested.stderr);
    assert.equal(tested.stdout, 'program (/usr/bin/tee): delivered\n');
    assert.equal(programGot().at(-1)?.events[0]?.state, 'test');
    await mail.stop();
    const failing = run('alerts', 'test', 'silent', '--state', state.root);
    assert.equal(failing.status, 1, failing.stderr);
    assert.match(failing.stdout, /^admins \((root|night)@example\.net\): failed: .*ECONNREFUSED/);
    const unknown = run('alerts', 'test', 'nobody', '--state', state.root);
    assert.equal(unknown.status, 2);
    assert.match(
      unknown.stderr,
      /there is no alert and no notify "nobody"; there are: failed-logins, silent, new-door, admins/,
    );
  });

  test('alerts list says it for people', () => {
    const { stdout } = run('alerts', 'list', '--state', state.root);
    assert.match(stdout, /^ALERT +STATE +FIRES AT +LAST FIRED +LAST DELIVERY\n/);
    assert.match(stdout, /failed-logins: *\n {2}host web1: 3 lines within 20 min, 3 lines by now, since /);
  });
});

test('each configuration that docs/alerts.md shows passes config check', () => {
  const blocks = documentedBlocks().filter(
    ({ file, language }) => file === 'docs/alerts.md' && language === 'toml',
  );
  assert.ok(blocks.length >= 2);
  for (const { lines } of blocks) {
    const file = join(tmpdir(), `holdfast-alerts-${process.pid}.toml`);
    writeFileSync(file, lines.join('\n'));
    const { status, stderr, stdout } = run('config', 'check', '--config', file);
    rmSync(file);
    assert.equal(status, 0, `${lines.join('\n')}\n${stdout}${stderr}`);
  }
});
