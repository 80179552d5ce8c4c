import { CliError, text, texts, type Flags } from '#cli';
import { riskNames, type RiskName } from '#fix';

/** @throws CliError `usage` */
export const secondsOf = (flags: Flags, name: string, fallback: number): number => {
  const given = text(flags, name);
  const [, count, unit = 's'] = /^(\d{1,5})(s|m)?$/.exec(given ?? `${fallback}`) ?? [];
  if (count === undefined)
    throw new CliError('usage', `--${name}: '${given ?? ''}' is no time like 10s or 2m`);
  return Number(count) * (unit === 'm' ? 60 : 1);
};

/** @throws CliError `usage` */
export const acceptedRisks = (flags: Flags): Set<RiskName> =>
  new Set(
    (texts(flags, 'accept') ?? []).map((given) => {
      const name = riskNames.find((known) => known === given);
      if (name === undefined)
        throw new CliError('usage', `--accept: '${given}' is no risk; there are ${riskNames.join(', ')}`);
      return name;
    }),
  );
