import { CliError, text, texts, type Flag, type Flags } from '#cli';
import { isIP } from 'node:net';
import type { FixStep, RiskName } from '#fix';

const mostSeconds = 86_400;

/** @throws CliError `usage` */
export const secondsOf = (flags: Flags, name: string, fallback: number): number => {
  const given = text(flags, name);
  const [, count, unit = 's'] = /^(\d{1,5})(s|m)?$/.exec(given ?? `${fallback}`) ?? [];
  const seconds = Number(count) * (unit === 'm' ? 60 : 1);
  if (count === undefined || seconds > mostSeconds)
    throw new CliError(
      'usage',
      `--${name.replaceAll(/[A-Z]/g, (one) => `-${one.toLowerCase()}`)}: '${given ?? ''}' is no time like 10s or 2m, a day (1440m) at the most`,
    );
  return seconds;
};

/** @throws CliError `usage` for what is none of the risks that are known */
export const acceptedRisks = (flags: Flags, riskNames: readonly RiskName[]): Set<RiskName> =>
  new Set(
    (texts(flags, 'accept') ?? []).map((given) => {
      const name = riskNames.find((known) => known === given);
      if (name === undefined)
        throw new CliError('usage', `--accept: '${given}' is no risk; there are ${riskNames.join(', ')}`);
      return name;
    }),
  );

const steps: Readonly<Record<string, FixStep>> = {
  local: 'local only',
  stop: 'do not run',
  remove: 'do not install',
  firewall: 'firewalled',
};

/** Flags of what is wanted of a door, the same for a plan and a fix. */
export const stepFlags: readonly Flag[] = [
  { flags: '--step <step>', description: 'local, stop, remove or firewall', default: 'local' },
  { flags: '--allow <network>', description: 'with --step firewall: who is let in; repeats', repeats: true },
];

/** @throws CliError `usage` */
export const wishOf = (flags: Flags): { step: FixStep; allow: readonly string[] } => {
  const step = steps[text(flags, 'step') ?? 'local'];
  if (step === undefined) throw new CliError('usage', `--step takes one of ${Object.keys(steps).join(', ')}`);
  const allow = texts(flags, 'allow') ?? [];
  for (const network of allow) {
    const [base = '', bits] = network.split('/');
    const most = isIP(base) === 6 ? 128 : 32;
    if (isIP(base) === 0 || (bits !== undefined && !(/^\d{1,3}$/.test(bits) && Number(bits) <= most)))
      throw new CliError('usage', `--allow: '${network}' is no address and no network like 10.0.0.0/8`);
  }
  if (allow.length > 0 && step !== 'firewalled')
    throw new CliError('usage', '--allow is of --step firewall: nobody else is let in otherwise');
  return { step, allow };
};
