import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { full, until } from '../harness/up.ts';
import { noFleet } from './able.ts';
import { startHost, type Host } from './host.ts';
import { withHoldfast } from './with-holdfast.ts';

/** Daemons that are to go: removed or stopped, proven, and after an undo as they were. */
const skip = noFleet() ?? false;
const long = skip === false && !full ? 'tried by npm run test:full' : skip;
const endings: (() => Promise<void>)[] = [];
let host: Host;

before(async () => {
  if (skip !== false) return;
  host = await startHost(
    { after: (end) => void endings.push(end) },
    withHoldfast({ name: 'old', packages: ['rpcbind', 'nfs-common', 'xinetd'], archives: 'kept' }),
  );
  await host.ok([
    'sh',
    '-ec',
    `sed -i -E '0,/disable[[:space:]]*= yes/s//disable = no/' /etc/xinetd.d/daytime; systemctl restart xinetd
     systemctl start rpcbind.socket; apt-mark auto rpcbind`,
  ]);
});

after(async () => {
  for (const end of endings.toReversed()) await end();
});

const holdfast = async (...args: string[]): ReturnType<Host['run']> =>
  host.run(['holdfast', 'services', ...args]);

const statusOf = async (...names: string[]): Promise<string> =>
  host.ok(['dpkg-query', '--show', '--showformat=${Package} ${Version} ${db:Status-Abbrev}\n', ...names]);

/** All that must be as it was after an undo. */
const everything = async (): Promise<string> =>
  host.ok([
    'sh',
    '-c',
    `dpkg-query --show --showformat='\${Package} \${Version} \${db:Status-Abbrev}\n'; apt-mark showauto
     systemctl is-enabled xinetd rpcbind.socket rpcbind.service; systemctl is-active xinetd rpcbind.socket
     find /etc -type f ! -name '*.cache' -exec sha256sum {} + | sort; ls /etc/systemd/system/*holdfast* 2>/dev/null; true`,
  ]);

test('the plan has the very commands, and changes nothing', { skip }, async () => {
  const was = await everything();
  const { status, stdout, stderr } = await holdfast('plan', 'xinetd', '--step', 'remove', '--watch', '0s');
  assert.equal(status, 0, `${stdout}${stderr}`);
  assert.match(stdout, /nothing else would go with xinetd/);
  assert.match(stdout, /DO NOT INSTALL: WRITE\n +no file/);
  assert.match(stdout.replaceAll(/\s+/g, ' '), /apt-get .*--no-auto-remove remove -- xinetd/);
  assert.match(stdout, /services fix xinetd --step remove/);
  assert.equal(await everything(), was);
});

test(
  'a package is removed, its configuration kept, and after a reboot all is as it was',
  { skip },
  async () => {
    const was = await everything();
    const { status, stdout, stderr } = await holdfast('fix', 'xinetd', '--step', 'remove', '--watch', '0s');
    assert.equal(status, 0, `${stdout}${stderr}`);
    assert.match(stdout, /✓ backup +the archive of xinetd 1:2\./);
    assert.match(stdout, /✓ outside .*tcp 13: refused \(before: open\)/);
    assert.match(await statusOf('xinetd'), / rc $/m);
    assert.match(await host.ok(['cat', '/etc/xinetd.d/daytime']), /disable\s*= no/);
    await host.stop();
    await host.start();
    const undone = await holdfast('undo');
    assert.equal(undone.status, 0, `${undone.stdout}${undone.stderr}`);
    assert.match(undone.stdout, /✓ install +xinetd 1:2\.\S+ installed/);
    assert.equal(await everything(), was);
  },
);

test('what needs it goes only where that is accepted by name, and comes back with it', { skip }, async () => {
  const was = await everything();
  const fix = ['fix', 'rpcbind', '--step', 'remove', '--watch', '0s'];
  const refused = await holdfast(...fix);
  assert.equal(refused.status, 2);
  assert.match(
    refused.stderr.replaceAll(/\s+/g, ' '),
    /nfs-common needs it, and goes too.*--accept removes-others/,
  );
  assert.equal(await everything(), was);
  const { status, stdout, stderr } = await holdfast(...fix, '--accept', 'removes-others');
  assert.equal(status, 0, `${stdout}${stderr}`);
  assert.match(await statusOf('rpcbind', 'nfs-common'), /nfs-common \S+ rc \nrpcbind \S+ rc \n/);
  const undone = await holdfast('undo');
  assert.equal(undone.status, 0, `${undone.stdout}${undone.stderr}`);
  assert.equal(await everything(), was);
});

test('what the system needs is not removed', { skip }, async () => {
  const unit = 'systemd-initctl.socket';
  await host.ok([
    'sh',
    '-ec',
    `mkdir /run/systemd/system/${unit}.d; printf '[Socket]\\nListenStream=7777\\n' > /run/systemd/system/${unit}.d/x.conf
     systemctl daemon-reload; systemctl stop ${unit}; systemctl start ${unit}`,
  ]);
  const { status, stderr } = await holdfast('fix', '7777', '--step', 'remove', '--watch', '0s');
  assert.equal(status, 3);
  assert.match(stderr, /systemd(?:-sysv)? would have to go, and the system needs it/);
  await host.ok([
    'sh',
    '-ec',
    `rm -r /run/systemd/system/${unit}.d; systemctl daemon-reload; systemctl stop ${unit}; systemctl start ${unit}`,
  ]);
});

test(
  'without the archive of the installed version nothing is removed; from an apt source it is fetched',
  { skip },
  async () => {
    const was = await everything();
    await host.ok(['sh', '-ec', 'mkdir /srv/apt; mv /var/cache/apt/archives/xinetd_* /srv/apt']);
    const fix = ['fix', 'xinetd', '--step', 'remove', '--watch', '0s'];
    const refused = await holdfast(...fix);
    assert.equal(refused.status, 3);
    assert.match(
      refused.stderr.replaceAll(/\s+/g, ' '),
      /nothing was changed: xinetd 1:2\.\S+ as it is installed can be had neither/,
    );
    assert.equal(await everything(), was);
    // A flat repository (sources.list(5)) of that one archive.
    await host.ok([
      'sh',
      '-ec',
      `cd /srv/apt; for deb in *.deb; do dpkg-deb --field $deb; echo "Filename: ./$deb"; echo "Size: $(stat -c %s $deb)"
     echo "SHA256: $(sha256sum $deb | cut -d' ' -f1)"; echo; done > Packages
     echo 'deb [trusted=yes] copy:/srv/apt ./' > /etc/apt/sources.list; apt-get -q update`,
    ]);
    const fixed = await holdfast(...fix);
    assert.equal(fixed.status, 0, `${fixed.stdout}${fixed.stderr}`);
    assert.equal((await holdfast('undo')).status, 0);
    assert.match(await statusOf('xinetd'), / ii $/m);
  },
);

test('what other units start is masked while it is stopped, also after a reboot', { skip }, async () => {
  const unit =
    '[Unit]\\nWants=rpc-statd.service\\n[Service]\\nExecStart=/bin/sleep inf\\n[Install]\\nWantedBy=multi-user.target\\n';
  await host.ok([
    'sh',
    '-ec',
    `printf '${unit}' > /etc/systemd/system/wants.service; systemctl enable --now wants`,
  ]);
  await host.ok(['systemctl', 'start', 'rpc-statd.service']);
  const was = await everything();
  const state = [
    'sh',
    '-c',
    'systemctl is-active rpc-statd; systemctl is-enabled rpc-statd; systemctl is-active wants',
  ];
  const fixed = await holdfast('fix', 'rpc-statd.service', '--step', 'stop', '--watch', '0s');
  assert.equal(fixed.status, 0, `${fixed.stdout}${fixed.stderr}`);
  await host.stop();
  await host.start();
  assert.equal((await host.run(state)).stdout, 'inactive\nmasked\nactive\n');
  const undone = await holdfast('undo');
  assert.equal(undone.status, 0, `${undone.stdout}${undone.stderr}`);
  assert.equal((await host.run(state)).stdout, 'active\nstatic\nactive\n');
  assert.equal(await everything(), was);
});

test(
  'what requires it stops along where that is accepted, starts it at no boot, and comes back',
  { skip },
  async () => {
    const unit =
      '[Unit]\\nRequires=rpcbind.socket\\nAfter=rpcbind.socket\\n[Service]\\nExecStart=/bin/sleep inf\\n[Install]\\nWantedBy=multi-user.target\\n';
    await host.ok([
      'sh',
      '-ec',
      `printf '${unit}' > /etc/systemd/system/needs.service; systemctl enable --now needs`,
    ]);
    const was = await everything();
    const state = [
      'sh',
      '-c',
      'systemctl is-active needs rpcbind.socket; systemctl is-enabled needs rpcbind.socket',
    ];
    const fix = ['fix', 'rpcbind', '--step', 'stop', '--watch', '0s'];
    const refused = await holdfast(...fix);
    assert.match(refused.stderr.replaceAll(/\s+/g, ' '), /needs\.service needs it, and stops along with it/);
    assert.equal((await host.run(state)).stdout, 'active\nactive\nenabled\nenabled\n');
    const fixed = await holdfast(...fix, '--accept', 'local-clients');
    assert.equal(fixed.status, 0, `${fixed.stdout}${fixed.stderr}`);
    assert.equal((await host.run(state)).stdout, 'inactive\ninactive\nenabled\nmasked\n');
    await host.stop();
    await host.start();
    assert.equal((await host.run(['systemctl', 'is-active', 'rpcbind.socket'])).stdout, 'inactive\n');
    await host.run(['systemctl', 'stop', 'needs']);
    const undone = await holdfast('undo');
    assert.equal(undone.status, 0, `${undone.stdout}${undone.stderr}`);
    assert.equal((await host.run(state)).stdout, 'active\nactive\nenabled\nenabled\n');
    assert.equal(await everything(), was);
  },
);

test(
  'killed while apt is at work, which goes on: the undo waits for it, and installs again',
  { skip },
  async () => {
    const slow = '#!/bin/sh\\ntouch /root/removing; sleep 4\\n';
    const script = `printf '${slow}' > /var/lib/dpkg/info/xinetd.prerm
    holdfast services fix xinetd --step remove --watch 0s & fixer=$!
    while [ ! -e /root/removing ]; do sleep 0.1; done
    kill -KILL $fixer; rm /root/removing; holdfast services undo`;
    const { status, stdout } = await host.run(['sh', '-c', script]);
    assert.equal(status, 0, stdout);
    assert.match(stdout, /✓ install +xinetd 1:2\.\S+ installed/);
    assert.match(await statusOf('xinetd'), / ii $/m);
  },
);

for (const script of ['prerm', 'postrm'])
  test(
    `a power cut while dpkg is in ${script}: the next boot installs it again`,
    { skip: long },
    async () => {
      const hangs = '#!/bin/sh\ntouch /root/removing; sync; sleep 60\n';
      await host.ok(['tee', `/var/lib/dpkg/info/xinetd.${script}`], { input: hangs });
      const fixing = holdfast('fix', 'xinetd', '--step', 'remove', '--watch', '0s');
      const isThere = async (path: string): Promise<boolean> =>
        (await host.run(['sh', '-c', `ls ${path}`])).status === 0;
      await until('dpkg is at work', async () => isThere('/root/removing'));
      await host.powerCut();
      await fixing;
      await host.start();
      await until('it is undone', async () => !(await isThere('/etc/systemd/system/*holdfast*')));
      assert.match(await statusOf('xinetd'), / ii $/m);
      assert.equal((await host.ok(['systemctl', 'is-active', 'xinetd'])).trim(), 'active');
      await host.ok(['rm', '/root/removing']);
    },
  );
