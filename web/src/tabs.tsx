import type { KeyboardEvent } from 'react';

/** In the order of the tabs. */
export type Titles<Name extends string> = readonly (readonly [Name, string])[];

type Props<Name extends string> = {
  label: string;
  titles: Titles<Name>;
  chosen: Name;
  onChoose(name: Name): void;
};

/** Tabs by the ARIA pattern: one tab stop, arrows move between them. The panel of `x` has the id `view-x`. */
export const Tabs = <Name extends string>({ label, titles, chosen, onChoose }: Props<Name>) => {
  const names = titles.map(([name]) => name);
  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>) => {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    const next = names[(names.indexOf(chosen) + step + names.length) % names.length];
    if (step === 0 || next === undefined) return;
    event.preventDefault();
    onChoose(next);
    document.querySelector<HTMLElement>(`#tab-${next}`)?.focus();
  };
  return (
    <div className="tabs" role="tablist" aria-label={label} onKeyDown={onKeyDown}>
      {titles.map(([name, title]) => (
        <button
          key={name}
          type="button"
          role="tab"
          id={`tab-${name}`}
          aria-selected={name === chosen}
          aria-controls={`view-${name}`}
          tabIndex={name === chosen ? 0 : -1}
          onClick={() => onChoose(name)}
        >
          {title}
        </button>
      ))}
    </div>
  );
};
