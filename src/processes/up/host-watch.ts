import { systemClock } from '#base/clock';
import { messageOf } from '#base/errors';
import type { OwnLog } from '#base/own-log';
import type { StateDirectory } from '#base/state';
import { examineHost, holdfastShipping } from '#cli/audit';
import type { AuditReport } from '#wire/audit';
import { writeRunFile, type Owner } from './run-file.ts';

const auditEveryMs = 60 * 60 * 1000;

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
