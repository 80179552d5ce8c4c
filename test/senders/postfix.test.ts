import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { messageOf } from '#base/errors';
import { unpackedPackages } from '../../bench/debian/unpacked.ts';
import { onPath } from '../../tools/test/suites.ts';
import { recordSeen } from '../../tools/senders/seen.ts';
import { removeState, root, search, startUp, temporaryState, until } from '../harness/up.ts';
import { startDaemon, workspace } from './daemon.ts';
import { written } from './written.ts';

/**
 * Postfix cannot be installed where another mail server is. Here it is unpacked beside the system, and started where
 * nobody else sees it: a namespace of its own with its files laid over the system's, its own /dev/log, and a rsyslogd
 * there; it listens to no network. $1: the unpacked packages; $2: rsyslog's configuration; $3: a directory of the test's.
 */
const script = `
set -e
mount -t tmpfs tmpfs /mnt
mkdir /mnt/dev
for tree in usr etc; do
  mkdir /mnt/$tree /mnt/$tree.work
  mount -t overlay overlay -o "lowerdir=$1/$tree:/$tree,upperdir=/mnt/$tree,workdir=/mnt/$tree.work" /$tree
done
for device in null zero random urandom; do
  touch /mnt/dev/$device
  mount --bind /dev/$device /mnt/dev/$device
done
mount --rbind /mnt/dev /dev
for place in /var/spool /var/lib /var/mail; do mount -t tmpfs tmpfs $place; done
getent group postfix >/dev/null || echo 'postfix:x:61790:' >>/etc/group
getent group postdrop >/dev/null || echo 'postdrop:x:61791:' >>/etc/group
getent passwd postfix >/dev/null || echo 'postfix:x:61790:61790::/var/spool/postfix:/usr/sbin/nologin' >>/etc/passwd
mkdir /var/spool/postfix /var/lib/postfix
chmod 1777 /var/mail
chown postfix /var/lib/postfix
chgrp postdrop /usr/sbin/postdrop /usr/sbin/postqueue
chmod 2755 /usr/sbin/postdrop /usr/sbin/postqueue
cp /usr/share/postfix/main.cf.debian /etc/postfix/main.cf
grep -v '^smtp *inet' /usr/share/postfix/master.cf.dist >/etc/postfix/master.cf
postconf -e myhostname=mail.example mydestination=mail.example alias_maps= alias_database= mailbox_size_limit=0
rsyslogd -n -f "$2" -i "$3/rsyslogd.pid" &
until [ -S /dev/log ]; do sleep 0.05; done
postfix start
printf 'Subject: hello\\n\\nhello\\n' | sendmail -f root@mail.example daemon@mail.example
wait
`;

const postfix = ((): { root: string } | string => {
  if (process.getuid?.() !== 0) return 'files laid over the system’s take a mount namespace, and so root';
  if (!onPath('rsyslogd')) return 'rsyslog is not installed';
  try {
    mkdirSync(join(root, '.cache'), { recursive: true });
    return unpackedPackages(join(root, '.cache'), 'postfix', ['postfix']);
  } catch (error) {
    return messageOf(error);
  }
})();

test(
  'postfix, relp: what its daemons say of one mail',
  { skip: typeof postfix === 'string' ? postfix : false },
  async (t) => {
    assert.ok(typeof postfix !== 'string');
    const state = temporaryState();
    t.after(() => removeState(state));
    const up = await startUp(state, ['--no-agent', '--listen', 'relp=127.0.0.1:0']);
    t.after(() => up.interrupt());
    const directory = workspace(t);
    const config = join(directory, 'rsyslog.conf');
    const port = Number(up.ready().receiver['relp']?.split(':').at(-1));
    const own = ['module(load="imuxsock" SysSock.Name="/dev/log")', `global(workDirectory="${directory}")`];
    writeFileSync(config, `${own.join('\n')}\n${written('postfix', 'relp', { port })}`);
    const namespaces = ['--mount', '--propagation', 'private', '--pid', '--mount-proc', '--fork'];
    const daemon = startDaemon(t, 'unshare', [
      ...namespaces,
      '--kill-child',
      'sh',
      '-c',
      script,
      'sh',
      postfix.root,
      config,
      directory,
    ]);
    const said = (): string[][] =>
      search(state, 'app:postfix*')
        .hits.map(({ app, message }) => [app ?? '', message ?? ''])
        .filter(([app = '']) => app !== 'postfix/postfix-script');
    try {
      await until('the mail is removed from the queue', () =>
        said().some(([, text]) => text?.endsWith(' removed') === true),
      );
    } catch (error) {
      assert.fail(`${messageOf(error)}\n${daemon.output()}\n${JSON.stringify(said())}`);
    }
    const lines = said().toSorted();
    const id = /^(\w+): /.exec(lines.find(([app]) => app === 'postfix/cleanup')?.[1] ?? '')?.[1] ?? '';
    const wanted: readonly [string, RegExp][] = [
      ['postfix/cleanup', new RegExp(`^${id}: message-id=<`)],
      ['postfix/local', new RegExp(`^${id}: to=<daemon@mail.example>, relay=local, .*status=sent`)],
      ['postfix/master', /^daemon started -- version /],
      ['postfix/pickup', new RegExp(`^${id}: uid=0 from=<root@mail.example>`)],
      ['postfix/qmgr', new RegExp(`^${id}: from=<root@mail.example>, size=`)],
      ['postfix/qmgr', new RegExp(`^${id}: removed$`)],
    ];
    assert.equal(lines.length, wanted.length, JSON.stringify(lines));
    wanted.forEach(([app, pattern], i) => {
      assert.equal(lines[i]?.[0], app);
      assert.match(lines[i]?.[1] ?? '', pattern);
    });
    const version = / version (\S+),/.exec(lines.find(([app]) => app === 'postfix/master')?.[1] ?? '')?.[1];
    recordSeen({
      sender: 'postfix',
      way: 'relp',
      program: `postfix ${version}`,
      result: 'what its daemons say of one mail, each line once',
    });
  },
);
