import { Tabs, type Titles } from '../tabs.tsx';
import type { OnAnswer } from '../views/use-asked.ts';
import type { Answer, Status } from '../wire.ts';
import { Audit } from './audit.tsx';
import { Fields } from './fields.tsx';
import { Senders } from './senders.tsx';
import { Sources } from './sources.tsx';
import { Vault } from './vault.tsx';

export type PanelView = 'audit' | 'sources' | 'senders' | 'fields' | 'vault';

export const panelTitles: Titles<PanelView> = [
  ['audit', 'Host audit'],
  ['sources', 'Sources'],
  ['senders', 'Senders'],
  ['fields', 'Fields'],
  ['vault', 'Vault'],
];

type Props = {
  /** Whether its tabs stand above it, or with those of the page. */
  tabs: 'here' | 'elsewhere';
  view: PanelView;
  query: string;
  status: Status | undefined;
  integrity: Answer['answer']['integrity'] | null;
  onView(view: PanelView): void;
  onNarrow(term: string): void;
  onAnswer: OnAnswer;
};

/** Beside the log: what is known of this host, of who sends, and of the fields of the lines. */
export const Panel = ({ tabs, view, query, status, integrity, onView, onNarrow, onAnswer }: Props) => (
  <section className="panel" aria-label="This host">
    {tabs === 'here' && <Tabs label="Views" titles={panelTitles} chosen={view} onChoose={onView} />}
    <div className="panel-body" role="tabpanel" id={`view-${view}`} aria-labelledby={`tab-${view}`}>
      {view === 'audit' && <Audit />}
      {view === 'sources' && <Sources onNarrow={onNarrow} />}
      {view === 'senders' && <Senders onNarrow={onNarrow} />}
      {view === 'fields' && <Fields query={query} onNarrow={onNarrow} onAnswer={onAnswer} />}
      {view === 'vault' && <Vault status={status} integrity={integrity} />}
    </div>
  </section>
);
