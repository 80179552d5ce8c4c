export { examineHost } from './examine.ts';
export { renderSummary } from './render.ts';
export { holdfastShipping } from './shipping.ts';
