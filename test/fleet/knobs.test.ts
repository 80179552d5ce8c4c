import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { chooseDoor, FixError } from '#fix';
import { full, until } from '../harness/up.ts';
import { noFleet } from './able.ts';
import { startFleet, type Host } from './host.ts';
import { packagesOf, postgresqlAuto, rowsOf, type Row } from './knobs-table.ts';
import { knowsSuite, type Suite } from './tree.ts';
import { withHoldfast } from './with-holdfast.ts';

/** Each knob on the daemon that Debian packages: opened, fixed, local and well, undone, and as it was. */
const skip = noFleet() ?? false;
const endings: (() => Promise<void>)[] = [];
const hosts = new Map<string, Promise<Host>>();
const releases = [
  { suite: 'bookworm', release: 'Debian 12' },
  { suite: 'trixie', release: 'Debian 13' },
] as const;
/** Names of some doors, to try those alone. */
const only = process.env['HOLDFAST_TEST_DOORS']?.split(',');

after(async () => {
  for (const end of endings.toReversed()) await end();
});

const hostOf = async (suite: Suite, name: Row['on']): Promise<Host> => {
  const key = `${suite} ${name}`;
  const started = hosts.get(key) ?? start(suite, name);
  hosts.set(key, started);
  return started;
};

const start = async (suite: Suite, name: Row['on']): Promise<Host> => {
  const fleet = await startFleet({ after: (end) => void endings.push(end) });
  // Hosts of one test are told by their names.
  const itsName = suite === 'bookworm' ? name : `${name}13`;
  return fleet.startHost(withHoldfast({ name: itsName, suite, packages: packagesOf[name].split(' ') }));
};

const holdfast = async (host: Host, ...args: string[]): ReturnType<Host['run']> =>
  host.run(['holdfast', 'services', ...args]);

/** Every file of the configuration with its hash, owner and mode; Debian's own generators write some at each start. */
const configuration = async (host: Host, suite: Suite): Promise<string> =>
  host.ok([
    'sh',
    '-c',
    `find /etc ${postgresqlAuto(suite)} -type f ! -name "*.cache" ! -path "/etc/tomcat*/policy/*" -exec stat -c "%n %a %u %g" {} + -exec sha256sum {} + 2>/dev/null | sort`,
  ]);

/** Whether the daemon has doors to others, as this host sees them. */
const isExposed = async (host: Host, door: string): Promise<boolean> => {
  const { stdout } = await holdfast(host, 'list', '--json');
  try {
    return chooseDoor({ ...JSON.parse(stdout), init: 'systemd' }, door).listeners.length > 0;
  } catch (error) {
    if (error instanceof FixError) return false;
    throw error;
  }
};

/** Why one is not tried now; `false` where it is. */
const whyNot = (suite: Suite, { door, sampled }: Row): string | false => {
  if (skip !== false) return skip;
  if (!knowsSuite(suite)) return `debootstrap of this machine does not know ${suite}`;
  if (only !== undefined) return only.includes(door) ? false : 'another was asked for';
  return full || (sampled === true && suite === 'bookworm') ? false : 'tried by npm run test:full';
};

for (const { suite, release } of releases)
  for (const row of rowsOf(suite)) {
    const { door, on, unit, open, accept = [], proof = 'tcp \\d+: refused' } = row;
    test(`${release}, ${door}: open, fixed, local, undone`, { skip: whyNot(suite, row) }, async () => {
      const host = await hostOf(suite, on);
      await host.ok(['sh', '-c', open]);
      await until(`${door} is open`, async () => isExposed(host, door));
      const before = await configuration(host, suite);

      const accepted = accept.flatMap((risk) => ['--accept', risk]);
      const fixed = await holdfast(host, 'fix', door, '--watch', '0s', ...accepted);
      assert.equal(fixed.status, 0, `${fixed.stdout}${fixed.stderr}`);
      assert.match(fixed.stdout, /✓ inside/);
      assert.match(fixed.stdout, new RegExp(`✓ outside .*${proof}`));
      assert.match(fixed.stdout, /Done, and proven/);
      assert.equal(await isExposed(host, door), false);
      if (unit !== null) assert.equal((await host.ok(['systemctl', 'is-active', unit])).trim(), 'active');

      const undone = await holdfast(host, 'undo');
      assert.equal(undone.status, 0, `${undone.stdout}${undone.stderr}`);
      assert.equal(await configuration(host, suite), before);
      assert.equal(await isExposed(host, door), true);
      if (unit !== null) assert.equal((await host.ok(['systemctl', 'is-active', unit])).trim(), 'active');
    });
  }
