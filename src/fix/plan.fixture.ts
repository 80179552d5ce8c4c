import type { Plan } from './plan.ts';

/** Of a daemon without doors and units: files alone come back. */
export const planOfNothing: Plan = {
  unit: 'holdfast-none.service',
  service: 'A',
  title: 'tcp 0.0.0.0:1',
  doors: [],
  edits: [],
  packages: [],
  along: [],
  checks: [],
  apply: [],
  release: [],
  revert: [],
  step: 'local only',
  closes: [],
  effective: null,
  risks: [],
  cautions: [],
  use: { clients: [], looks: 0, milliseconds: 0, overUdp: null },
  losesLogin: false,
};
