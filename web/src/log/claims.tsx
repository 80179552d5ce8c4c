import { count } from '../time.ts';
import type { Answer } from '../wire.ts';

type Props = { answer: Answer['answer'] };

/** How far an answer can be trusted: the same three verdicts wherever one is shown. */
export const Claims = ({ answer: { integrity, completeness, freshness } }: Props) => (
  <>
    <Claim
      name="Integrity"
      verdict={integrity.verdict}
      good="unaltered"
      bad="altered"
      detail={integrity.detail}
    />
    <Claim
      name="Completeness"
      verdict={completeness.verdict}
      good="complete"
      bad="known gaps"
      detail={[
        completeness.detail,
        ...completeness.gaps.map(
          (gap) =>
            `${gap.sender}: ${gap.cause}, ${gap.count === null ? 'unknown how many' : count(gap.count)} between ${gap.from} and ${gap.until}`,
        ),
      ].join('\n')}
    />
    <Claim
      name="Freshness"
      verdict={freshness.verdict}
      good="current"
      bad="contradicted"
      detail={freshness.detail}
    />
  </>
);

type ClaimProps = { name: string; verdict: string; good: string; bad: string; detail: string };

/** "Unknown" is neither good nor bad, and looks like neither. */
const Claim = ({ name, verdict, good, bad, detail }: ClaimProps) => (
  <details className="claim" data-tone={verdict === good ? 'good' : verdict === bad ? 'bad' : 'unknown'}>
    <summary>
      {name}: <b>{verdict}</b>
    </summary>
    <p>{detail}</p>
  </details>
);
