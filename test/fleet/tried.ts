import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Host } from './host.ts';
import type { Attempt, UnitName } from './rows.ts';

/**
 * Runs the probe in a unit that is the installed one to the letter, but for what it starts.
 * @returns for each attempt `yes` or the code of the error
 */
export const tried = async (host: Host, name: UnitName, what: readonly Attempt[]): Promise<string[]> => {
  const unit = `holdfast-probe-${name}.service`;
  const installed = readFileSync(join(host.root, 'etc/systemd/system', `holdfast-${name}.service`), 'utf8');
  const replaced = installed
    .split('\n')
    .filter((line) => !/^(ExecStart|ExecStartPre|ExecStartPost|Type|PartOf|ConditionPathExists)=/.test(line))
    .join('\n')
    .replace(
      '[Service]\n',
      `[Service]\nType=oneshot\nEnvironment=WHAT=${JSON.stringify(JSON.stringify(what)).replaceAll('%', '%%')}\n` +
        'ExecStart=/opt/holdfast/node /opt/holdfast/probe.mjs ${WHAT}\n',
    );
  await host.ok(['sh', '-c', `mkdir -p /run/systemd/system; cat > /run/systemd/system/${unit}`], {
    input: replaced,
  });
  await host.ok(['systemctl', 'daemon-reload']);
  const { status } = await host.run(['systemctl', 'start', unit]);
  await host.ok(['journalctl', '--sync']);
  const said = await host.ok(['journalctl', '--quiet', '-o', 'cat', '-u', unit]);
  await host.ok(['rm', `/run/systemd/system/${unit}`]);
  assert.equal(status, 0, said);
  const results = /^probe (\[.*\])$/m.exec(said)?.[1];
  assert.ok(results !== undefined, said);
  return JSON.parse(results);
};

/** Which unit may do what, as lines of the test's report. */
export const printTable = (
  t: TestContext,
  labels: readonly string[],
  results: ReadonlyMap<UnitName, readonly string[]>,
): void => {
  const width = Math.max(...labels.map((label) => label.length));
  t.diagnostic(`${''.padEnd(width)} ${[...results.keys()].map((name) => name.padEnd(10)).join('')}`);
  labels.forEach((label, i) => {
    const cells = [...results.values()].map((outcomes) => (outcomes[i] === 'yes' ? 'yes' : '–').padEnd(10));
    t.diagnostic(`${label.padEnd(width)} ${cells.join('')}`.trimEnd());
  });
};
