import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { stateDirectory } from '#base/state';
import { verifyVault } from '#vault/verify';

/**
 * The process that verifies, as `holdfast vault verify` does: `node check.ts STATE`. Says `{"checked":{…}}` (see
 * `Checked`), and stays until its standard input ends.
 */
export type Checked = {
  /** Manifests included. */
  lines: number;
  entries: number;
  /** What was found to be wrong: nothing, in a run that has figures. */
  problems: number;
  wallSeconds: number;
  /** User and system time of all threads, over the same time. */
  cpuSeconds: number;
  /** Most that was resident since the process was started. */
  peakBytes: number;
};

const check = async (root: string): Promise<Checked> => {
  const { vault, keys, vkeyFile } = stateDirectory(root);
  const vkey = readFileSync(vkeyFile, 'utf8').trim();
  const before = process.cpuUsage();
  const started = performance.now();
  const report = await verifyVault({ vault, vkey, lock: join(keys, 'lock') });
  const wallSeconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(before);
  return {
    lines: report.lines,
    entries: report.entries,
    problems: report.ok ? 0 : report.problems.length + report.more,
    wallSeconds,
    cpuSeconds: (user + system) / 1e6,
    peakBytes: process.resourceUsage().maxRSS * 1024,
  };
};

process.stdin.on('end', () => process.exit(0)).resume();
process.stdout.write(`${JSON.stringify({ checked: await check(process.argv[2] ?? '') })}\n`);
