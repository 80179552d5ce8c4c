import { fetchAlerts, searchLog } from '../api.ts';
import { count, localMoment, utcMoment } from '../time.ts';
import type { AlertState, Hit } from '../wire.ts';
import { useAsked, type OnAnswer } from './use-asked.ts';
import { Empty, View } from './view.tsx';

type Props = { onAnswer: OnAnswer; onSearch(query: string): void };

const fired = 'app:holdfast kind=alert -kind=read';
const undelivered = 'app:holdfast kind=alert-delivery -result=delivered -kind=read';
const mostEvents = 30;

/** How each rule stood when it was asked, what fired last, and what could not be delivered. */
export const Alerts = ({ onAnswer, onSearch }: Props) => {
  const asked = useAsked(
    ['alerts'],
    async (signal) => {
      const [states, firings, failures] = await Promise.all([
        fetchAlerts(signal),
        searchLog(fired, signal, mostEvents),
        searchLog(undelivered, signal, mostEvents),
      ]);
      return {
        at: new Date().toISOString(),
        states,
        firings: firings.hits.toReversed(),
        failures: failures.hits.toReversed(),
        answer: firings.answer,
      };
    },
    onAnswer,
  );
  return (
    <View
      asked={asked}
      query=""
      heading={({ states, at }) => (
        <>
          <b>{count(states.length)}</b> {states.length === 1 ? 'rule' : 'rules'}
          {states.length > 0 && `, ${firingOf(states)}`}, at <Moment time={at} />
        </>
      )}
      controls={
        <div className="view-controls">
          <button type="button" className="quiet-button" disabled={asked.asking} onClick={asked.again}>
            Look again
          </button>
        </div>
      }
    >
      {({ states, firings, failures }) => (
        <>
          {states.length === 0 ? (
            <Empty>
              No alert is configured. Rules stand in the configuration file as <code>[[alert]]</code>; see{' '}
              <code>docs/alerts.md</code>.
            </Empty>
          ) : (
            <ul className="rules">
              {states.map((state) => (
                <Rule key={state.rule} state={state} onSearch={onSearch} />
              ))}
            </ul>
          )}
          <Events title="Last firings and recoveries" hits={firings} none="Nothing has fired yet." />
          <Events title="Deliveries that failed" hits={failures} none="None has failed." />
        </>
      )}
    </View>
  );
};

const firingOf = (states: AlertState[]): string => {
  const firing = states.filter(({ state }) => state === 'firing').length;
  return firing === 0 ? 'none is firing' : `${count(firing)} firing`;
};

const tones: Record<AlertState['state'], string> = {
  firing: 'alarm',
  quiet: 'good',
  learning: 'notice',
  failing: 'warning',
  broken: 'error',
};

const Rule = ({ state, onSearch }: { state: AlertState } & Pick<Props, 'onSearch'>) => {
  const { rule, query, watch, severity, notify, detail, firing, behind, lastFiring, lastDelivery } = state;
  const more = state.count - firing.length;
  const failed = lastDelivery !== null && lastDelivery.result !== 'delivered';
  return (
    <li>
      <p className="rule-head">
        <span className="tag" data-tone={tones[state.state]}>
          {state.state}
        </span>
        <b>{rule}</b> <span className="quiet">{severity}</span>
      </p>
      <p>
        {watch}
        {query !== '' && (
          <>
            {' '}
            in{' '}
            <button type="button" className="row-link" onClick={() => onSearch(query)}>
              <code>{query}</code>
            </button>
          </>
        )}
      </p>
      {detail !== null && <p className="rule-detail">{detail}</p>}
      {firing.map(({ of, text, since }) => (
        <p key={JSON.stringify(of)} className="rule-firing">
          {Object.entries(of)
            .map(([name, value]) => `${name} ${value}`)
            .join(', ')}
          {': '}
          {text}, since <Moment time={since} />
        </p>
      ))}
      {more > 0 && <p className="rule-firing">and {count(more)} more</p>}
      <p className="source-more">
        {lastFiring === null ? (
          'never fired'
        ) : (
          <>
            last fired <Moment time={lastFiring} />
          </>
        )}
        {notify.length > 0 ? ` · tells ${notify.join(', ')}` : ' · tells nobody'}
        {lastDelivery !== null && (
          <span className={failed ? 'rule-failed' : undefined}>
            {' '}
            · {lastDelivery.result} to {lastDelivery.to} <Moment time={lastDelivery.time} />
            {lastDelivery.why !== null && `: ${lastDelivery.why}`}
          </span>
        )}
        {behind > 0 && ` · ${count(behind)} entries behind`}
      </p>
    </li>
  );
};

const Events = ({ title, hits, none }: { title: string; hits: Hit[]; none: string }) => (
  <section className="events">
    <h3>{title}</h3>
    {hits.length === 0 ? (
      <p className="quiet">{none}</p>
    ) : (
      <ul>
        {hits.map((hit) => (
          <li key={hit.address}>
            <Moment time={hit.time} /> {hit.message}
          </li>
        ))}
      </ul>
    )}
  </section>
);

const Moment = ({ time }: { time: string }) => (
  <time dateTime={time} title={utcMoment(time)}>
    {localMoment(time).slice(0, 19)}
  </time>
);
