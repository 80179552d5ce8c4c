import { systemClock } from '#base/clock';
import { messageOf } from '#base/errors';
import type { OwnLog } from '#base/own-log';
import type { StateDirectory } from '#base/state';
import { examineHost, holdfastShipping } from '#cli/audit';
import { packageFinder } from '#inspect';
import type { AuditReport } from '#wire/audit';
import { serviceFacts } from '../service-facts.ts';
import { accounts } from './accounts.ts';
import { writeRunFile, type Owner } from './run-file.ts';

const auditEveryMs = 60 * 60 * 1000;
const factsEveryMs = 60 * 1000;

/** Examines the host now and each hour; the console shows what is in run/audit.json, and has to be its owner. */
export const keepAuditFresh = (
  state: StateDirectory,
  owner: Owner,
  log: OwnLog,
  first: (report: AuditReport) => void,
): { stop(): void } => {
  let shown = false;
  const examine = async (): Promise<void> => {
    try {
      const { report } = await examineHost({ clock: systemClock(), holdfast: holdfastShipping(state) });
      writeRunFile(state, 'audit.json', JSON.stringify(report), owner);
      if (!shown) first(report);
      shown = true;
    } catch (error) {
      log('error', `the audit of this host failed: ${messageOf(error)}`);
    }
  };
  void examine();
  const timer = setInterval(() => void examine(), auditEveryMs);
  return { stop: () => clearInterval(timer) };
};

/**
 * The agent runs without the privileges that it takes to see whose sockets are whose; the supervisor, which has no
 * network, looks for it and leaves what it saw in run/facts.json. Only where `up` runs as root.
 * @returns the file's path, once it is there
 */
export const keepFactsFresh = async (
  state: StateDirectory,
  log: OwnLog,
  owner: Owner = accounts.agent,
): Promise<{ file: string; stop(): void }> => {
  const packages = packageFinder();
  const look = async (): Promise<string> =>
    writeRunFile(state, 'facts.json', JSON.stringify(await serviceFacts(packages)), owner);
  const file = await look();
  const timer = setInterval(() => {
    look().catch((error: unknown) =>
      log('error', `the facts of this host could not be collected: ${messageOf(error)}`),
    );
  }, factsEveryMs);
  return { file, stop: () => clearInterval(timer) };
};
