import assert from 'node:assert/strict';
import { test } from 'node:test';
import { programs } from './programs.fixture.ts';
import { stopped } from './stopped.ts';

/** rpcbind of Debian 12, with nfs-server.service, which wants its socket. */
const systemctl = (fragments: string): string => `for last; do :; done
case $*:$last in
  *TriggeredBy*) echo TriggeredBy=rpcbind.socket;;
  is-enabled*) echo enabled;;
  is-active*) ;;
  cat*:rpcbind.socket) printf '[Install]\\nWantedBy=sockets.target\\n';;
  cat*:rpcbind.service) printf '[Install]\\nWantedBy=multi-user.target\\nAlso=rpcbind.socket\\n';;
  *WantedBy*:rpcbind.socket) printf 'WantedBy=sockets.target nfs-server.service\\nRequiredBy=rpcbind.service rpc-statd.service\\n'
    echo FragmentPath=${fragments}/rpcbind.socket;;
  *WantedBy*:rpcbind.service) printf 'WantedBy=multi-user.target\\nFragmentPath=${fragments}/rpcbind.service\\n';;
esac`;

test('an enabled unit that others start all the same is masked; what its own file names is not counted', async (t) => {
  programs(t, { systemctl: systemctl('/lib/systemd/system') });
  const { turn } = await stopped('rpcbind.service');
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
  const { turn } = await stopped('rpcbind.service');
  assert.ok(!turn.apply.some((argv) => argv.includes('mask')));
  assert.match(
    turn.cautions.join(),
    /rpc-statd\.service will start rpcbind\.socket again, at the next boot at the latest/,
  );
});

test('where systemctl cannot tell who starts it, nothing is begun', async (t) => {
  programs(t, { systemctl: 'exit 1' });
  await assert.rejects(stopped('rpcbind.service'), { code: 'could-not-look' });
});
