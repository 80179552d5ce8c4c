import { createHash } from 'node:crypto';

/** A page without script, for what the console says before anyone has a session. */

const style = `
:root { color-scheme: light dark; --ground: #f6f7f5; --text: #1b2321; --quiet: #5c6764; --line: #d8dddb; --card: #fff; --mark: #0f766e; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #0d1211; --text: #dfe7e4; --quiet: #8d9a96; --line: #26302d; --card: #141b19; --mark: #4fd1b5; }
}
body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: var(--ground); color: var(--text);
  font: 16px/1.55 system-ui, sans-serif; }
main { box-sizing: border-box; width: min(34rem, calc(100vw - 2rem)); padding: 2rem; background: var(--card);
  border: 1px solid var(--line); border-top: 3px solid var(--mark); border-radius: 10px; }
h1 { margin: 0 0 .75rem; font-size: 1.25rem; }
p { margin: .75rem 0 0; color: var(--quiet); }
code { display: block; margin-top: .75rem; padding: .6rem .8rem; border: 1px solid var(--line); border-radius: 6px;
  background: var(--ground); color: var(--text); font: 14px/1.5 ui-monospace, monospace; overflow-x: auto; }
`;

/** CSP source expression that allows exactly this style (CSP3 §2.3.1). */
export const plainStyleHash = `'sha256-${createHash('sha256').update(style).digest('base64')}'`;

const html = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

export type PlainPage = { title: string; text: string; command?: string; after?: string };

/** A whole HTML document. All parts are text; none is taken as markup. */
export const plainPage = (page: PlainPage): string => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${html(page.title)} · Holdfast</title><style>${style}</style></head>
<body><main><h1>${html(page.title)}</h1><p>${html(page.text)}</p>${
  page.command === undefined ? '' : `<code>${html(page.command)}</code>`
}${page.after === undefined ? '' : `<p>${html(page.after)}</p>`}</main></body></html>
`;
