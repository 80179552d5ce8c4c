import { isIP } from 'node:net';
import type { OpenDoor } from './plan.ts';
import { answerText, isDecided, knockText, type Knock } from './prove.ts';
import type { RiskName } from './risks.ts';

/** What knocks before and after a fix say together. */
export type Outside = {
  /** Why it must be undone; `null` where nothing speaks against it. */
  broke: string | null;
  /** `proven`: all that was knocked at was told to be shut. */
  outside: 'proven' | 'unproven';
  /** A sentence for each knock, and for each that could not be repeated. */
  told: { outcome: 'ok' | 'told'; text: string }[];
};

/**
 * Judges whether the doors are shut to others. A door at every address that has none left to knock at proves nothing: the
 * host has lost its own, and whoever is on it with that.
 */
export const judgeOutside = (
  doors: readonly OpenDoor[],
  before: readonly Knock[],
  after: readonly Knock[],
  accept: ReadonlySet<RiskName>,
): Outside => {
  const broken = (why: string): Outside => ({ broke: why, outside: 'unproven', told });
  const told: Outside['told'] = [];
  for (const knock of after) {
    const was = before.find((one) => sameTarget(one, knock));
    const text = `${knockText(knock)} (before: ${was === undefined ? 'unknown' : answerText(was)})`;
    if (knock.answer === 'open') return broken(`it still answers from outside: ${text}`);
    if (!isDecided(knock) && (was === undefined || isDecided(was)))
      return broken(`from outside it cannot be told any more whether it is shut: ${text}`);
    told.push(isDecided(knock) ? { outcome: 'ok', text } : { outcome: 'told', text: `not proven: ${text}` });
  }
  const lost = before.filter(
    ({ target }) =>
      doors.every(({ address }) => address !== target.address) &&
      !after.some((one) => familyDoor(one) === familyDoor({ target })),
  );
  for (const knock of lost) {
    const text = `this host has no address any more to knock at (before: ${knockText(knock)})`;
    if (!accept.has('unproven-outside')) return broken(text);
    told.push({ outcome: 'told', text: `not proven: ${text}` });
  }
  return {
    broke: null,
    outside: lost.length === 0 && after.length > 0 && after.every(isDecided) ? 'proven' : 'unproven',
    told,
  };
};

const familyDoor = ({ target: { protocol, address, port } }: Pick<Knock, 'target'>): string =>
  `${protocol} ${port} IPv${isIP(address)}`;

const sameTarget = ({ target: one }: Knock, { target: other }: Knock): boolean =>
  one.protocol === other.protocol && one.address === other.address && one.port === other.port;
