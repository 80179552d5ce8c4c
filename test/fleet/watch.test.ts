import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { full, until } from '../harness/up.ts';
import { noFleet } from './able.ts';
import { startHost, type Host } from './host.ts';
import { withHoldfast } from './with-holdfast.ts';

/** Who notices late that a door is shut, and the guard where nothing can be written. */
const skip = noFleet() ?? false;
const long = skip === false && !full ? 'tried by npm run test:full' : skip;
const endings: (() => Promise<void>)[] = [];
let host: Host;

const units = {
  'door.socket': '[Socket]\nListenStream=7700\nAccept=yes\n[Install]\nWantedBy=sockets.target\n',
  'door@.service': '[Service]\nExecStart=/bin/cat\nStandardInput=socket\n',
  // Comes once a second, and once it is shut, not for a while: it had asked shortly before, say.
  'late.service': `[Service]
ExecStart=/bin/bash -c 'while [ ! -e /etc/systemd/system/door.socket.d ]; do (exec 3<>/dev/tcp/slow/7700 && sleep 0.4); sleep 0.6; done; sleep 18; exec 3<>/dev/tcp/slow/7700'
`,
};

before(async () => {
  if (skip !== false) return;
  host = await startHost({ after: (end) => void endings.push(end) }, withHoldfast({ name: 'slow' }));
  for (const [name, text] of Object.entries(units))
    writeFileSync(join(host.root, 'etc/systemd/system', name), text);
  await host.ok(['sh', '-ec', 'mkdir -p /var/lib/holdfast; mount -t tmpfs tmpfs /var/lib/holdfast']);
  await host.ok(['sh', '-ec', 'systemctl daemon-reload; systemctl enable --quiet --now door.socket']);
});

after(async () => {
  for (const end of endings.toReversed()) await end();
});

const holdfast = async (...args: string[]): ReturnType<Host['run']> =>
  host.run(['holdfast', 'services', ...args], { milliseconds: 120_000 });

const isOpen = async (): Promise<boolean> => /\*:7700/.test(await host.ok(['ss', '-Hltn', 'sport = :7700']));

test('a dependent that notices only after a while is broken all the same', { skip }, async () => {
  await host.ok(['systemctl', 'start', 'late']);
  const { status, stdout, stderr } = await holdfast(
    'fix',
    '7700',
    '--watch',
    '4s',
    '--accept',
    'lan-address-clients',
  );
  assert.equal(status, 1, `${stdout}${stderr}`);
  assert.match(stdout, /· watch +those who use it, for 30 s/);
  assert.match(stdout, /✗ broke +late\.service/);
  assert.match(stdout, /Undone, everything is as before/);
  assert.equal(await isOpen(), true);
  await host.ok(['systemctl', 'stop', 'late']);
});

test(
  'where nothing can be written and the door does not come back, the guard tries more and more rarely',
  { skip: long },
  async () => {
    const killed = `holdfast services fix 7700 --watch 0s --watch-after 60s & fixer=$!
      until grep -qs '"step":"watch"' /var/lib/holdfast/fixes/*/journal.jsonl; do sleep 0.1; done
      kill -KILL $fixer; ls -t /var/lib/holdfast/fixes | head -1`;
    await host.ok(['sh', '-c', 'rm -rf /var/lib/holdfast/fixes']);
    const id = (await host.ok(['sh', '-c', killed], { milliseconds: 60_000 })).trimEnd().split('\n').at(-1);
    assert.equal(await isOpen(), false);
    const local = '[Socket]\\nListenStream=\\nListenStream=127.0.0.1:7700\\n';
    await host.ok([
      'sh',
      '-ec',
      `mkdir -p /run/systemd/system/door.socket.d; printf '${local}' > /run/systemd/system/door.socket.d/zzz.conf
       mount -o remount,ro /var/lib/holdfast; systemctl start holdfast-undo-${id}.service`,
    ]);
    const said = async (): Promise<string> =>
      host.ok(['journalctl', '--quiet', '-o', 'cat', '-u', `holdfast-undo-${id}.service`]);
    await until(
      'the second pause',
      async () => /waiting[^]*in 10 s[^]*waiting[^]*in\s+20\s+s/.test(await said()),
      150_000,
    );
    await host.ok([
      'sh',
      '-ec',
      `rm -r /run/systemd/system/door.socket.d; mount -o remount,rw /var/lib/holdfast`,
    ]);
    const undone = await holdfast('undo');
    assert.equal(undone.status, 0, `${undone.stdout}${undone.stderr}`);
    assert.equal(await isOpen(), true);
    const state = ['systemctl', 'is-active', `holdfast-undo-${id}.service`];
    await until('the guard is gone', async () => (await host.run(state)).stdout !== 'active\n', 60_000);
  },
);
