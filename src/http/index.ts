export { readBody } from './body.ts';
export { type Exchange, type Outgoing } from './exchange.ts';
export type { HttpLimits } from './limits.ts';
export { bind, stopServer } from './listen.ts';
export { type Peer, type Transport } from './peer.ts';
export { createGuardedServer, type GuardedService } from './server.ts';
