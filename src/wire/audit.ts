import { z } from 'zod';

export const sectionName = z.enum(['services', 'patches', 'logging', 'isolation']);
export type SectionName = z.infer<typeof sectionName>;

export const severityName = z.enum(['critical', 'high', 'medium', 'low', 'info']);
export type SeverityName = z.infer<typeof severityName>;

export const couldNotLook = z.object({ what: z.string(), why: z.string(), remedy: z.string() });

/** A step of the ladder, cheapest for the host first. */
export const option = z.object({
  step: z.enum([
    'do not install',
    'do not run',
    'local only',
    'firewalled',
    'public',
    'patch',
    'configure',
    'investigate',
  ]),
  /** What to do, with the exact command or directive where there is one. */
  action: z.string(),
  plan: z.string().optional(),
});
export type Option = z.infer<typeof option>;

export const finding = z.object({
  /** Stable name for scripts: `<section>/<kind>/<subject>`, e.g. `services/public-listener/tcp-[::]:3306`. */
  id: z.string(),
  section: sectionName,
  severity: severityName,
  title: z.string(),
  /** What was seen, one fact each, with where it was seen. */
  evidence: z.array(z.string()),
  options: z.array(option),
});
export type Finding = z.infer<typeof finding>;

/** `holdfast audit --json`. */
export const auditReport = z.object({
  host: z.string(),
  time: z.string(),
  sections: z.object({
    services: z.unknown(),
    patches: z.unknown(),
    logging: z.unknown(),
    isolation: z.unknown(),
  }),
  findings: z.array(finding),
  couldNotLook: z.array(couldNotLook),
});
export type AuditReport = z.infer<typeof auditReport>;

/** What a section looks like of which nothing was seen: not clean, but not looked at. */
const unseen: Readonly<Record<SectionName, z.ZodType>> = {
  services: z.object({
    listeners: z.array(z.unknown()).length(0),
    couldNotLook: z.array(z.unknown()).min(1),
  }),
  patches: z.object({ upgrades: z.object({ result: z.literal('could-not-look') }) }),
  logging: z.object({ processesSeen: z.literal('none'), files: z.array(z.unknown()).length(0) }),
  isolation: z.object({ servicesSeen: z.literal('none') }),
};

/** Whether a section's report says that it could not look: it is missing, or has nothing of what it is about. */
export const isUnseen = (section: SectionName, value: unknown): boolean =>
  value === null || value === undefined || unseen[section].safeParse(value).success;

/** Sections in which nothing was seen: that nothing was found there says nothing. */
export const unseenSections = ({ sections }: Pick<AuditReport, 'sections'>): SectionName[] =>
  sectionName.options.filter((section) => isUnseen(section, sections[section]));
