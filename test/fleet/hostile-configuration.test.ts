import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { onPath } from '../../tools/test/suites.ts';
import { noFleet } from './able.ts';
import { startHost, type Host } from './host.ts';
import { packagesOf } from './knobs-table.ts';
import { withHoldfast } from './with-holdfast.ts';

/** Configuration that names code: the plan tries it, and the code finds nothing of the host that it could touch. */
const skip = noFleet() ?? (onPath('gcc') ? false : 'gcc is not installed (apt-get install gcc libc6-dev)');
const endings: (() => Promise<void>)[] = [];
let host: Host;

/** Runs as soon as it is loaded, whatever loads it, and ends that: what it found out is the last thing that is said. */
const module = `
#include <stdlib.h>
#include <unistd.h>
__attribute__((constructor)) static void found(void) { if (system("/usr/lib/hostile.sh >&2")) {} _exit(1); }
`;

const script = `#!/bin/sh
export PATH=/usr/sbin:/usr/bin
wrote=; reached=
for place in / /etc /usr/lib /root /home /srv /boot /sys /proc/sys/kernel /dev /dev/shm /dev/mqueue /run/lock /var/lib /var/tmp /run /tmp; do
  (: > "$place/hostile") 2>/dev/null && wrote="$wrote $place"
done
exec 2>/dev/null
mount -o remount,rw / && reached="$reached mounts"
umount /var && reached="$reached layers"
mknod /tmp/disk b 254 0 && reached="$reached devices"
hostname hostile && reached="$reached hostname"
systemctl list-units >/dev/null && reached="$reached systemd"
[ "$(ls -d /proc/[0-9]* | wc -l)" -gt 12 ] && reached="$reached processes"
touch /proc/1/root/usr/hostile && reached="$reached root"
echo "hostile code wrote to$wrote; reached$reached."
`;

before(async () => {
  if (skip !== false) return;
  host = await startHost(
    { after: (end) => void endings.push(end) },
    withHoldfast({
      name: 'web',
      packages: packagesOf.other.split(' '),
      prepare: (directory) => {
        const library = join(directory, 'usr/lib/hostile.so');
        const made = spawnSync('gcc', ['-shared', '-fPIC', '-o', library, '-x', 'c', '-'], { input: module });
        assert.equal(made.status, 0, made.stderr.toString());
        writeFileSync(join(directory, 'usr/lib/hostile.sh'), script, { mode: 0o755 });
      },
    }),
  );
});

after(async () => {
  for (const end of endings.toReversed()) await end();
});

/** Each daemon is open, and then its configuration is made hostile: it is loaded at the next start, or when it is checked. */
const daemons = [
  {
    door: 'Redis',
    as: 'redis, in a trial',
    open: "sed -i -E 's/^bind .*/bind 0.0.0.0/' /etc/redis/redis.conf; systemctl restart redis-server",
    hostile: "echo 'loadmodule /usr/lib/hostile.so' >> /etc/redis/redis.conf",
  },
  {
    door: 'SNMP',
    as: 'root, in a trial',
    open: "sed -i -E 's/^agentaddress .*/agentaddress udp:161/' /etc/snmp/snmpd.conf; systemctl restart snmpd",
    hostile: "echo 'dlmod hostile /usr/lib/hostile.so' >> /etc/snmp/snmpd.conf",
  },
  {
    door: 'Apache',
    as: 'root, in a checker',
    open: 'systemctl start apache2',
    hostile: "echo 'LoadModule hostile_module /usr/lib/hostile.so' > /etc/apache2/conf-enabled/hostile.conf",
  },
];

for (const { door, as, open, hostile } of daemons)
  test(`${door}: code in its configuration, as ${as}, touches nothing of the host`, { skip }, async () => {
    await host.ok(['sh', '-ec', `${open}; ${hostile}`]);
    const { status, stdout, stderr } = await host.run([
      'holdfast',
      'services',
      'plan',
      door,
      '--watch',
      '0s',
    ]);
    assert.equal(status, 0, stderr);
    const said = stdout.replaceAll(/\s+/g, ' ');
    assert.match(
      said,
      /hostile code wrote to(?: \/dev| \/etc| \/dev\/shm| \/run| \/run\/lock| \/tmp| \/var\/lib| \/var\/tmp)*; reached\./,
    );
    const left = await host.ok(['find', '/', '-xdev', '-name', 'hostile', '-newer', '/usr/lib/hostile.sh']);
    assert.equal(left, '');
    assert.equal((await host.ok(['hostname'])).trim(), 'web');
    const refused = await host.run(['holdfast', 'services', 'fix', door, '--watch', '0s']);
    assert.equal(refused.status, 3);
    assert.match(refused.stderr, /nothing was changed/);
  });
