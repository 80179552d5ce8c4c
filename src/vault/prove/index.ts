export { checkLineProof, type CheckedSignature, type LineClaim, type Step, type Verdict } from './check.ts';
export { encodeLineProof, maxLineProof, parseLineProof, type LineProof } from './line-proof.ts';
export { parseVkey, parseWitnessVkey, type Vkey, type WitnessVkey } from '#vault/checkpoint';
