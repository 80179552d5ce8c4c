import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { programs } from './programs.fixture.ts';
import { stopped } from './stopped.ts';

/** rpcbind of Debian 12, with nfs-server.service, which wants its socket. */
const systemctl = (fragments: string): string => `for last; do :; done
case $*:$last in
  *TriggeredBy*) echo TriggeredBy=rpcbind.socket;;
  is-enabled*) echo enabled;;
  list-units*) ;;
  *ActiveState*) printf 'ActiveState=active\\n\\nActiveState=active\\n';;
  cat*:rpcbind.socket) printf '[Install]\\nWantedBy=sockets.target\\n';;
  cat*:rpcbind.service) printf '[Install]\\nWantedBy=multi-user.target\\nAlso=rpcbind.socket\\n';;
  *WantedBy*:rpcbind.socket) printf 'WantedBy=sockets.target nfs-server.service\\nRequiredBy=rpcbind.service rpc-statd.service\\n'
    echo FragmentPath=${fragments}/rpcbind.socket;;
  *WantedBy*:rpcbind.service) printf 'WantedBy=multi-user.target\\nFragmentPath=${fragments}/rpcbind.service\\n';;
esac`;

/** A host's files: texts by path; `→ TARGET` is a link. */
const rootWith = (t: TestContext, files: Readonly<Record<string, string>>): string => {
  const root = mkdtempSync(join(tmpdir(), 'holdfast-stopped-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    if (text.startsWith('→ ')) symlinkSync(text.slice(2), join(root, path));
    else writeFileSync(join(root, path), text);
  }
  return root;
};

test('an enabled unit that others start all the same is masked; what its own file names is not counted', async (t) => {
  programs(t, { systemctl: systemctl('/lib/systemd/system') });
  const { turn } = await stopped('rpcbind.service', rootWith(t, {}));
  const commands = (all: readonly (readonly string[])[]): string[] => all.map((argv) => argv.join(' '));
  assert.deepEqual(commands(turn.apply), [
    'systemctl disable --quiet -- rpcbind.service rpcbind.socket',
    'systemctl stop -- rpcbind.service rpcbind.socket',
    'systemctl mask --quiet -- rpcbind.socket',
  ]);
  assert.equal(commands(turn.revert ?? [])[0], 'systemctl unmask --quiet -- rpcbind.socket');
  assert.deepEqual(turn.cautions, [
    'nfs-server.service, rpc-statd.service would start rpcbind.socket again, so it is masked until an undo',
  ]);
});

test('what cannot be masked, because its file lies there, is told', async (t) => {
  programs(t, { systemctl: systemctl('/etc/systemd/system') });
  const { turn } = await stopped('rpcbind.service', rootWith(t, {}));
  assert.ok(!turn.apply.some((argv) => argv.includes('mask')));
  assert.match(
    turn.cautions.join(),
    /rpc-statd\.service will still start rpcbind\.socket: its file is where the mask would be/,
  );
});

test('where systemctl cannot tell who starts it, nothing is begun', async (t) => {
  programs(t, { systemctl: 'exit 1' });
  await assert.rejects(stopped('rpcbind.service', rootWith(t, {})), { code: 'could-not-look' });
});

/** door.service as systemd knows it, which has loaded nothing that starts it. */
const alone = `case $* in
  list-units*) ;;
  *ActiveState*) while [ "$1" != -- ]; do shift; done; shift; for unit; do echo; echo ActiveState=active; done;;
  is-enabled*) echo disabled; exit 1;;
  *FragmentPath*) echo FragmentPath=/usr/lib/systemd/system/door.service;;
  *ExecStart*) echo 'ExecStart={ path=/usr/sbin/doord ; argv[]=/usr/sbin/doord -x ; }';;
esac`;

test('a template that is enabled along is told, and systemctl is not asked how it is', async (t) => {
  const also = "cat*) printf '[Install]\\nAlso=door@.service other.socket\\n';;";
  programs(t, { systemctl: alone.replace('list-units*) ;;', `list-units*) ;; ${also}`) });
  const { turn, touched } = await stopped('door.service', rootWith(t, {}));
  assert.deepEqual(touched, ['door.service', 'other.socket']);
  assert.match(turn.cautions.join(), /disables door@\.service, other\.socket along/);
});

const lib = 'usr/lib/systemd/system';

test('what systemd has not loaded, and the bus, would start it again: it is masked, and each is named', async (t) => {
  programs(t, { systemctl: alone });
  const { turn, touched } = await stopped(
    'door.service',
    rootWith(t, {
      [`${lib}/door.service`]: '[Service]\nExecStart=/usr/sbin/doord\n',
      [`${lib}/old-name.service`]: '→ door.service',
      [`${lib}/wants.service`]: '[Unit]\nWants=other.service \\\n door.service\n',
      [`${lib}/drop.service`]: '[Service]\n',
      'etc/systemd/system/drop.service.d/x.conf': '[Unit]\nRequires=old-name.service\n',
      [`${lib}/static.target.wants/door.service`]: '→ ../door.service',
      [`${lib}/after.service`]: '[Unit]\nAfter=door.service\n',
      [`${lib}/hidden.service`]: '[Unit]\nWants=door.service\n',
      'etc/systemd/system/hidden.service': '→ /dev/null',
      // These go with systemctl disable.
      'etc/systemd/system/multi-user.target.wants/door.service': '→ /usr/lib/systemd/system/door.service',
      'etc/systemd/system/dbus-org.example.Gone.service': '→ /usr/lib/systemd/system/door.service',
      [`${lib}/door.timer`]: '[Timer]\nOnCalendar=daily\n',
      [`${lib}/daily.timer`]: '[Timer]\nUnit=door.service\n',
      [`${lib}/other.timer`]: '[Timer]\nOnCalendar=daily\n',
      'usr/share/dbus-1/system-services/a.service':
        '[D-BUS Service]\nName=org.example.Door\nExec=/bin/false\nSystemdService=old-name.service\n',
      'usr/share/dbus-1/system-services/b.service':
        '[D-BUS Service]\nName=org.example.Gone\nExec=/bin/false\nSystemdService=dbus-org.example.Gone.service\n',
      'usr/share/dbus-1/system-services/c.service':
        '[D-BUS Service]\nName=org.example.Bare\nExec=/usr/sbin/doord --bus\nUser=root\n',
    }),
  );
  assert.deepEqual(touched, ['door.service', 'daily.timer', 'door.timer']);
  assert.deepEqual(turn.apply.at(-1), ['systemctl', 'mask', '--quiet', '--', 'door.service']);
  assert.deepEqual(turn.cautions, [
    'static.target, drop.service, wants.service, a call of org.example.Door on the system bus would start door.service again, so it is masked until an undo',
    'a call of org.example.Bare on the system bus will start /usr/sbin/doord again, and not by systemd: take away /usr/share/dbus-1/system-services/c.service by hand',
  ]);
});
