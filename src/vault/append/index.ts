export { openAppender, type Appender, type AppenderOptions, type NewEntry } from './appender.ts';
export { createVault, type CreateOptions } from './create.ts';
export { isCutShortCreation } from './cut-short.ts';
export { startSequencer, type Sequencer, type SequencerOptions } from './sequencer.ts';
export type { WitnessPolicy } from './witnessing.ts';
