/** What strangers may take of a process by HTTP. Times in milliseconds. */
export type HttpLimits = {
  /** At once, on each server. */
  connections: number;
  /** At once, by one peer that is not this machine itself. */
  connectionsPerPeer: number;
  requestsPerConnection: number;
  /** Requests of one connection that are not answered in full yet; who sends more ahead is cut off. */
  pipelined: number;
  headerBytes: number;
  headersMs: number;
  /** For the whole request, its body included. */
  requestMs: number;
  /** Between two requests of a connection. */
  idleMs: number;
  /** Until the whole answer was taken. */
  answerMs: number;
};
