export { holdfastShipping } from './command.ts';
export { examineHost } from './examine.ts';
export { renderSummary } from './render.ts';
