import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { documentedCommands } from '../harness/documents.ts';
import { until } from '../harness/up.ts';
import { noFleet } from './able.ts';
import { startFleet } from './host.ts';
import { goThroughThem, startIncidentHosts, type Incidents } from './incidents.ts';

/**
 * The ten investigations of docs/search.md, on what really happened on three hosts: each command that stands there is
 * run on the log server, and must answer with what is to be found.
 */
const skip = noFleet() ?? false;

/** What each command must print, by what it begins with. */
const answers: Readonly<Record<string, readonly RegExp[]>> = {
  "holdfast logs search --count 'app:sshd": [/^4\n/],
  'holdfast logs search --address': [
    /Failed password for root from 10\.78\.0\.4/,
    /Failed password for invalid user oracle/,
    /Accepted password for alice from 10\.78\.0\.4/,
    /^5 lines/m,
  ],
  'holdfast logs context': [
    /^> \S+ +\S+ web sshd\[\d+\]: Accepted password for alice/m,
    /session opened for user alice/,
  ],
  "holdfast logs search 'host:web around:": [/NOT in sudoers.*\/etc\/shadow/, /new user: name=mallory/],
  "holdfast logs search 'app:sudo": [/ alice : user NOT in sudoers .*COMMAND=\/usr\/bin\/cat \/etc\/shadow/],
  "holdfast logs search '(app:useradd": [
    /new user: name=alice/,
    /new user: name=mallory/,
    /add 'mallory' to group 'sudo'/,
  ],
  'holdfast logs patterns': [
    /systemd +shop\.service: Failed with result/,
    /sudo +alice : user NOT in sudoers/,
  ],
  'holdfast logs search --by app': [/^ +4 +\S+ +sh$/m, /systemd/],
  'holdfast logs search --histogram': [/^\S+ \d\d:\d\d +[1-9]\d* .*█/m],
  'holdfast logs search --oldest': [
    /^\S+ web sh\[\d+\]: shop: cannot reach the database at 192\.0\.2\.10:3306$/m,
  ],
  'holdfast logs fields': [/status/, /client/, /10\.78\.0\.4/],
  'holdfast logs search --by status': [/5 .*404 +10\.78\.0\.4/, /3 .*502 +10\.78\.0\.4/],
  'holdfast logs import': [/dpkg\.log: [1-9]\d* lines/],
  "holdfast logs search 'host:web via:import": [/ web \S*dpkg\S*: .*status installed tool:all 1\.0/],
  'holdfast logs sql': [/backup .*finished late/],
  'holdfast logs sources': [/^web +nginx +10\.78\.0\.3 +relp +13 /m],
  'holdfast logs browse': [/\/web\/nginx$/m, /\/web\/sudo$/m],
  'holdfast vault prove': [/accepted\.tlog-proof/],
  'holdfast vault check': [/^PROVEN/m, /Accepted password for alice/],
  "holdfast logs search 'app:holdfast kind=read": [/logs|search/, /NOT in sudoers/],
};

const endings: (() => Promise<void>)[] = [];
after(async () => {
  for (const end of endings) await end();
});

let hosts: Incidents;
let login: string;

before(async () => {
  if (skip !== false) return;
  hosts = await startIncidentHosts(await startFleet({ after: (end) => void endings.push(end) }));
  await goThroughThem(hosts);
  const found = async (query: string): Promise<string> =>
    (await hosts.log.run(['holdfast', 'logs', 'search', '--address', query])).stdout;
  await until('the late line is found', async () => (await found('"finished late"')).includes('late'));
  [login = ''] = (await found('app:sshd accepted password')).split(' ');
  assert.match(login, /^\d+:\d+$/);
});

const commands = documentedCommands().filter(({ section }) => section === 'Ten investigations');

test('each command of the investigations has an answer here', { skip }, () => {
  assert.deepEqual(
    commands.map(({ line }) => Object.keys(answers).filter((start) => line.startsWith(start)).length),
    commands.map(() => 1),
  );
  assert.equal(Object.keys(answers).length, commands.length);
});

for (const { line } of commands) {
  test(line, { skip }, async () => {
    const wanted = Object.entries(answers).find(([start]) => line.startsWith(start))?.[1] ?? [];
    const ask = async (): Promise<string> => {
      const { status, stdout, stderr } = await hosts.log.run([
        'sh',
        '-c',
        `cd /root; ${line.replaceAll('7:1', login)}`,
      ]);
      assert.equal(status, 0, `${stdout}${stderr}`);
      return `${stdout}${stderr}`;
    };
    let said = await ask();
    // What was said or imported a moment ago may be on its way into the index.
    for (let tries = 0; tries < 40 && !wanted.every((one) => one.test(said)); tries += 1) {
      await sleep(500);
      said = await ask();
    }
    for (const one of wanted) assert.match(said, one);
  });
}

test('an end by the service manager is an end in order', { skip }, async () => {
  const said = await hosts.log.ok(['journalctl', '--no-pager', '--output=cat', '--unit=holdfast']);
  assert.match(said, /^Ended\. /m);
  assert.doesNotMatch(said, /started again|had to be killed/);
});
