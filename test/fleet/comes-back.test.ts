import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { noFleet } from './able.ts';
import { startHost, type Host } from './host.ts';
import { withHoldfast } from './with-holdfast.ts';

/** What starts a stopped daemon again, and what an undo brings back beside files, packages and doors. */
const skip = noFleet() ?? false;
const endings: (() => Promise<void>)[] = [];
let host: Host;

/** A package as small as they come: a daemon on port 7700, and two programs for one name. */
const files = {
  'usr/lib/systemd/system/door.service': `[Service]
ExecStart=/bin/sh -c 'exec /usr/src/holdfast/node_modules/node-linux-*/bin/node -e "require(\\'net\\').createServer().listen(7700)"'
[Install]
WantedBy=multi-user.target
`,
  'usr/share/door/loud': '#!/bin/sh\n',
  'usr/share/door/quiet': '#!/bin/sh\n',
  'DEBIAN/control': `Package: door
Version: 1
Architecture: all
Maintainer: nobody <nobody@example.org>
Description: a door
`,
  'DEBIAN/postinst': `#!/bin/sh
set -e
update-alternatives --install /usr/bin/knock knock /usr/share/door/loud 10
update-alternatives --install /usr/bin/knock knock /usr/share/door/quiet 5
systemctl daemon-reload
systemctl enable --quiet --now door.service
`,
  'DEBIAN/prerm': `#!/bin/sh
set -e
systemctl disable --quiet --now door.service
update-alternatives --remove knock /usr/share/door/loud
update-alternatives --remove knock /usr/share/door/quiet
`,
};

/** Answers when the port is open. */
const listening =
  'for i in $(seq 100); do (: < /dev/tcp/127.0.0.1/7700) 2>/dev/null && exit 0; sleep 0.1; done; exit 1';

const write = (path: string, text: string): void => {
  mkdirSync(join(host.root, dirname(path)), { recursive: true });
  writeFileSync(join(host.root, path), text);
};

before(async () => {
  if (skip !== false) return;
  host = await startHost({ after: (end) => void endings.push(end) }, withHoldfast({ name: 'again' }));
  for (const [path, text] of Object.entries(files)) write(`srv/door/${path}`, text);
  await host.ok([
    'sh',
    '-ec',
    `cd /srv/door; chmod 755 DEBIAN/p*; find usr -type f -exec md5sum {} + > DEBIAN/md5sums
     dpkg-deb --root-owner-group --build . /var/cache/apt/archives/door_1_all.deb
     dpkg --install /var/cache/apt/archives/door_1_all.deb`,
  ]);
  await host.ok(['bash', '-c', listening]);
});

after(async () => {
  for (const end of endings.toReversed()) await end();
});

const holdfast = async (...args: string[]): ReturnType<Host['run']> =>
  host.run(['holdfast', 'services', ...args], { milliseconds: 120_000 });

const fix = async (step: string): ReturnType<Host['run']> =>
  holdfast('fix', '7700', '--step', step, '--watch', '0s');

const is = async (what: 'active' | 'enabled'): Promise<string> =>
  (await host.run(['systemctl', `is-${what}`, 'door.service'])).stdout.trim();

test('an alternative that was chosen by hand is chosen again after an undo', { skip }, async () => {
  await host.ok(['update-alternatives', '--set', 'knock', '/usr/share/door/quiet']);
  const chosen = async (): Promise<string> => host.ok(['update-alternatives', '--query', 'knock']);
  const was = await chosen();
  const fixed = await fix('remove');
  assert.equal(fixed.status, 0, `${fixed.stdout}${fixed.stderr}`);
  await assert.rejects(chosen);
  const undone = await holdfast('undo');
  assert.equal(undone.status, 0, `${undone.stdout}${undone.stderr}`);
  assert.equal(await chosen(), was);
});

test('one that cannot be chosen again is told, and it is not called undone', { skip }, async () => {
  const fixed = await fix('remove');
  assert.equal(fixed.status, 0, `${fixed.stdout}${fixed.stderr}`);
  // The name belongs to somebody else by now, and the package's own script gives way.
  await host.ok([
    'sh',
    '-ec',
    'update-alternatives --install /usr/bin/knock knock /bin/true 99; mv /usr/bin/update-alternatives /usr/bin/real-alternatives; printf "#!/bin/sh\\ncase \\$1 in --set) exit 0;; esac; exec real-alternatives \\"\\$@\\"\\n" > /usr/bin/update-alternatives; chmod 755 /usr/bin/update-alternatives',
  ]);
  const undone = await holdfast('undo');
  await host.ok(['mv', '/usr/bin/real-alternatives', '/usr/bin/update-alternatives']);
  assert.equal(undone.status, 1, `${undone.stdout}${undone.stderr}`);
  assert.match(
    undone.stdout.replaceAll(/\s+/g, ' '),
    /✗ undone .*the alternative knock is \/bin\/true \(auto\), and was \/usr\/share\/door\/quiet \(manual\)/,
  );
  await host.ok([
    'sh',
    '-ec',
    'update-alternatives --remove knock /bin/true; update-alternatives --auto knock',
  ]);
});

test('where systemctl cannot tell whether a unit starts at boot, nothing is changed', { skip }, async () => {
  const broken =
    '#!/bin/sh\n[ "$1" != is-enabled ] || { echo "Failed to connect to bus: No such file or directory" >&2; exit 1; }\nexec /usr/bin/systemctl "$@"\n';
  write('usr/local/bin/systemctl', broken);
  await host.ok(['chmod', '755', '/usr/local/bin/systemctl']);
  const { status, stderr } = await fix('stop');
  rmSync(join(host.root, 'usr/local/bin/systemctl'));
  assert.equal(status, 3, stderr);
  assert.match(
    stderr.replaceAll(/\s+/g, ' '),
    /nothing was changed: whether door\.service starts at boot .*Failed to connect to bus/,
  );
  assert.deepEqual([await is('active'), await is('enabled')], ['active', 'enabled']);
});

test('a unit that an undo can enable no more is told, and it is not called undone', { skip }, async () => {
  const fixed = await fix('stop');
  assert.equal(fixed.status, 0, `${fixed.stdout}${fixed.stderr}`);
  assert.deepEqual([await is('active'), await is('enabled')], ['inactive', 'disabled']);
  // systemctl enables a unit without [Install] with a hint, and status 0.
  const unit = files['usr/lib/systemd/system/door.service'].replace(/\[Install\][^]*/, '');
  write('etc/systemd/system/door.service', unit);
  await host.ok(['systemctl', 'daemon-reload']);
  const undone = await holdfast('undo');
  assert.equal(undone.status, 1, `${undone.stdout}${undone.stderr}`);
  assert.match(
    undone.stdout.replaceAll(/\s+/g, ' '),
    /✗ undone .*door\.service is static, and was enabled \(systemctl is-enabled\)/,
  );
  rmSync(join(host.root, 'etc/systemd/system/door.service'));
  await host.ok([
    'sh',
    '-ec',
    'systemctl daemon-reload; systemctl enable --quiet door; systemctl restart door',
  ]);
  await host.ok(['bash', '-c', listening]);
});

test(
  'the bus, and a unit that systemd has not loaded, start it no more until an undo',
  { skip },
  async () => {
    write(
      'usr/share/dbus-1/system-services/org.example.Door.service',
      '[D-BUS Service]\nName=org.example.Door\nExec=/bin/false\nUser=root\nSystemdService=door.service\n',
    );
    write(
      'usr/lib/systemd/system/visitor.service',
      '[Unit]\nWants=door.service\n[Service]\nType=oneshot\nExecStart=/bin/true\n',
    );
    const call = [
      'sh',
      '-c',
      `busctl call org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus ReloadConfig
       busctl --timeout=2 call org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus StartServiceByName su org.example.Door 0`,
    ];
    // Without the fix, both start it.
    for (const start of [call, ['systemctl', 'start', 'visitor.service']]) {
      await host.ok(['systemctl', 'stop', 'door.service']);
      await host.run(start);
      assert.equal(await is('active'), 'active');
    }
    await host.ok(['systemctl', 'daemon-reload']);
    await host.ok(['bash', '-c', listening]);
    const plan = await holdfast('plan', '7700', '--step', 'stop', '--watch', '0s');
    assert.match(
      plan.stdout.replaceAll(/\s+/g, ' '),
      /visitor\.service, a call of org\.example\.Door on the system bus would start door\.service again, so it is masked until an undo/,
    );
    const fixed = await fix('stop');
    assert.equal(fixed.status, 0, `${fixed.stdout}${fixed.stderr}`);
    for (const start of [call, ['systemctl', 'start', 'visitor.service']]) {
      await host.run(start);
      assert.equal(await is('active'), 'inactive');
    }
    const undone = await holdfast('undo');
    assert.equal(undone.status, 0, `${undone.stdout}${undone.stderr}`);
    assert.deepEqual([await is('active'), await is('enabled')], ['active', 'enabled']);
  },
);
