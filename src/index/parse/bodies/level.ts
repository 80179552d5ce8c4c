import { none } from '../parsed.ts';
import { severityNumber } from '../priority.ts';

/** What loggers have beyond syslog's names. */
const names: Readonly<Record<string, number>> = {
  fatal: 2,
  severe: 3,
  trace: 7,
  verbose: 7,
  finest: 7,
  finer: 7,
  fine: 7,
  config: 7,
  default: none,
};

/** A severity by name or number; numbers of 10 to 60 are those of pino and bunyan. 255 = none. */
export const levelOf = (text: string): number => {
  const known = severityNumber(text);
  if (known !== null) return known;
  const name = text.toLowerCase();
  if (Object.hasOwn(names, name)) return names[name] ?? none;
  if (!/^[1-6]0$/.test(name)) return none;
  const number = Number(name);
  return number <= 20 ? 7 : number === 30 ? 6 : number === 40 ? 4 : number === 50 ? 3 : 2;
};

/**
 * OpenTelemetry's SeverityNumber, 1 to 24, by its own table of what syslog's are
 * (https://opentelemetry.io/docs/specs/otel/logs/data-model-appendix/#appendix-b-severitynumber-example-mappings).
 */
export const levelOfOtel = (number: number): number => {
  if (!(number >= 1 && number <= 24)) return none;
  if (number <= 8) return 7;
  if (number === 9) return 6;
  if (number <= 12) return 5;
  if (number <= 16) return 4;
  if (number === 17) return 3;
  if (number === 18) return 2;
  return number <= 20 ? 1 : 0;
};
