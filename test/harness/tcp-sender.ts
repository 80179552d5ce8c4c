import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** A plain syslog sender over TCP, as most are: no acknowledgement, reconnects, never sends anything twice. */
export type TcpSender = { sent(): number; finish(): Promise<number>; abort(): void };

export const tcpSender = (port: () => number, token: string): TcpSender => {
  let sent = 0;
  let ended = false;
  let open: Socket | null = null;
  const dial = (): void => {
    if (ended) return;
    let socket: Socket;
    try {
      socket = connect(port(), '127.0.0.1');
    } catch {
      setTimeout(dial, 50);
      return;
    }
    socket.on('connect', () => (open = socket));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      open = null;
      setTimeout(dial, 50);
    });
  };
  dial();
  const timer = setInterval(() => {
    if (open === null) return;
    sent += 1;
    open.write(`<13>1 ${new Date().toISOString()} killhost killtest - - - ${token} #${sent}\n`);
  }, 10);
  const abort = (): void => {
    ended = true;
    clearInterval(timer);
    open?.destroy();
  };
  return {
    sent: () => sent,
    async finish() {
      clearInterval(timer);
      ended = true;
      open?.end();
      await sleep(200);
      return sent;
    },
    abort,
  };
};
