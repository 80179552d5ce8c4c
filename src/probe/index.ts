export { knockFromHost } from './from-host.ts';
export { knockFromNamespace } from './from-namespace.ts';
export { answerOf, type Answer, type Target } from './answer.ts';
