import type { KeyboardEvent } from 'react';

export type View = 'log' | 'audit' | 'sources' | 'senders' | 'vault';

const titles: Record<View, string> = {
  log: 'Log',
  audit: 'Host audit',
  sources: 'Sources',
  senders: 'Senders',
  vault: 'Vault',
};

type Props = { views: View[]; view: View; onView(view: View): void };

/** Tabs by the ARIA pattern: one tab stop, arrows move between them. */
export const Tabs = ({ views, view, onView }: Props) => {
  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>) => {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    const next = views[(views.indexOf(view) + step + views.length) % views.length];
    if (step === 0 || next === undefined) return;
    event.preventDefault();
    onView(next);
    document.querySelector<HTMLElement>(`#tab-${next}`)?.focus();
  };
  return (
    <div className="tabs" role="tablist" aria-label="Views" onKeyDown={onKeyDown}>
      {views.map((name) => (
        <button
          key={name}
          type="button"
          role="tab"
          id={`tab-${name}`}
          aria-selected={name === view}
          aria-controls={`view-${name}`}
          tabIndex={name === view ? 0 : -1}
          onClick={() => onView(name)}
        >
          {titles[name]}
        </button>
      ))}
    </div>
  );
};
