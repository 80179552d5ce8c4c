import { runCommand } from '../patches/command.ts';
import { statIfThere } from '../patches/host-files.ts';
import { runs, type OpenFiles } from './open-files.ts';

/** The kernel's audit trail and its daemon (auditd(8)). */
export type AuditDaemon = {
  installed: boolean;
  /** `null` = could not look: not all processes may be seen. */
  running: boolean | null;
  /** From `auditctl -s`, which only root may ask: auditing is on, events lost since boot. */
  enabled: boolean | null;
  lost: number | null;
};

export const examineAudit = async (root: string, open: OpenFiles): Promise<AuditDaemon> => {
  const installed = statIfThere(`${root}/etc/audit/auditd.conf`) !== null;
  const running = runs(open, /^auditd$/);
  const outcome = installed ? await runCommand('auditctl', ['-s'], { timeout: 2_000 }) : null;
  const text = outcome?.ran === true && outcome.status === 0 ? outcome.stdout : '';
  const value = (name: string): number | null => {
    const found = new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1];
    return found === undefined ? null : Number(found);
  };
  const enabled = value('enabled');
  return { installed, running, enabled: enabled === null ? null : enabled > 0, lost: value('lost') };
};
