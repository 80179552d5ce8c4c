import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { systemClock } from '#base/clock';
import type { Fixer } from './fixer.ts';
import { newJournal, type Backup, type Journal, type Opening } from './journal.ts';
import { planOfNothing } from './plan.fixture.ts';
import type { Plan } from './plan.ts';

export type Stage = { fixer: Fixer; journal: Journal; paths: readonly [string, string]; steps: string[] };

/** A fix of two files that was killed before either was written. */
export const stage = (
  t: TestContext,
  plan: Partial<Plan> = {},
  packages: NonNullable<Opening['packages']> = [],
): Stage => {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-undo-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const paths = [join(directory, 'a.conf'), join(directory, 'b.conf')] as const;
  const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
  const backups = paths.map((path, n): Backup => {
    writeFileSync(path, 'old\n');
    return {
      path,
      kept: String(n),
      mode: 0o644,
      uid: process.geteuid?.() ?? 0,
      gid: process.getegid?.() ?? 0,
      before: sha256('old\n'),
      after: sha256('new\n'),
      made: [],
    };
  });
  const fixes = mkdtempSync(join(directory, 'fixes-'));
  const steps: string[] = [];
  const fixer: Fixer = {
    fixes,
    clock: systemClock(),
    undoCommand: () => ['true'],
    said: async (_id, { step, outcome }) => void steps.push(`${step} ${outcome}`),
    unwritten: async (_id, { step, outcome }) => void steps.push(`${step} ${outcome}, not written`),
  };
  const journal = newJournal(fixes, 'one');
  const kept = new Map([...backups, ...packages].map(({ kept: name }) => [name ?? '', Buffer.from('old\n')]));
  journal.begin(
    { plan: { ...planOfNothing, ...plan }, backups, packages, active: [], check: null, from: null },
    kept,
    '2026-01-01T00:00:00Z',
  );
  return { fixer, journal, paths, steps };
};

export const writing = (journal: Journal): void =>
  void journal.append(
    { step: 'writing', outcome: 'begun', text: '', state: 'writing' },
    '2026-01-01T00:00:01Z',
  );
