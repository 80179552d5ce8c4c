import { hostname } from 'node:os';
import { findIsolation, findLogging, findPatches, findServices, rankFindings } from '#advise';
import type { Clock } from '#base/clock';
import { messageOf } from '#base/errors';
import type { CouldNotLook } from '#base/looked';
import { formatMicros } from '#base/rfc3339';
import {
  collectIsolation,
  collectLogging,
  collectPatches,
  collectServices,
  type CollectLoggingOptions,
  type HoldfastShipping,
} from '#inspect';
import type { AuditReport, Finding, SectionName } from '#wire/audit';
import { isolationFacts, loggingFacts, patchesFacts, servicesFacts } from './facts.ts';

export type Examination = {
  report: AuditReport;
  /** A few lines for each section: what was seen, good or bad. */
  facts: Record<SectionName, readonly string[]>;
};

type Section<T> = {
  value: T | null;
  findings: Finding[];
  facts: readonly string[];
  couldNotLook: readonly CouldNotLook[];
};

/** One section; a collector that fails altogether becomes "could not look", never "clean". */
const examineSection = async <T extends { couldNotLook: CouldNotLook[] }>(
  name: SectionName,
  collect: () => Promise<T>,
  judge: (value: T) => Finding[],
  describe: (value: T) => readonly string[],
): Promise<Section<T>> => {
  try {
    const value = await collect();
    return { value, findings: judge(value), facts: describe(value), couldNotLook: value.couldNotLook };
  } catch (error) {
    const gap = {
      what: `the whole section '${name}'`,
      why: messageOf(error),
      remedy: 'run it again with HOLDFAST_DEBUG=1 and report it',
    };
    return { value: null, findings: [], facts: ['could not be examined'], couldNotLook: [gap] };
  }
};

/**
 * Examines this host now; needs no server. Sections run at the same time: the patches section mostly waits for apt.
 * @param holdfast what a running Holdfast takes in of this host's logs; `null` where none runs
 * @param paths where the host's facts are read from; default: this host
 */
export const examineHost = async (input: {
  clock: Clock;
  holdfast: HoldfastShipping | null;
  paths?: NonNullable<CollectLoggingOptions['paths']>;
}): Promise<Examination> => {
  const { clock, holdfast } = input;
  const paths = input.paths === undefined ? {} : { paths: input.paths };
  const listening = collectServices(input.paths);
  const [services, patches, logging, isolation] = await Promise.all([
    examineSection('services', () => listening, findServices, servicesFacts),
    examineSection('patches', () => collectPatches({ clock, ...paths }), findPatches, patchesFacts),
    examineSection('logging', () => collectLogging({ clock, holdfast, ...paths }), findLogging, loggingFacts),
    examineSection(
      'isolation',
      () => collectIsolation({ ...input.paths, services: listening }),
      findIsolation,
      isolationFacts,
    ),
  ]);
  const sections = { services, patches, logging, isolation };
  const names = ['services', 'patches', 'logging', 'isolation'] as const;
  return {
    report: {
      host: hostname(),
      time: formatMicros(clock.now()),
      sections: {
        services: services.value,
        patches: patches.value,
        logging: logging.value,
        isolation: isolation.value,
      },
      findings: rankFindings(names.flatMap((name) => sections[name].findings)),
      couldNotLook: names.flatMap((name) => [...sections[name].couldNotLook]),
    },
    facts: {
      services: services.facts,
      patches: patches.facts,
      logging: logging.facts,
      isolation: isolation.facts,
    },
  };
};
