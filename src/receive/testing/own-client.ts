import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { encodeOwnFrame } from '#wire/own-frame';

/** The client's side of src/wire/own.ts, as small as can be. */
export type OwnClient = {
  socket: Socket;
  /** Highest sequence number acknowledged. */
  acked: number;
  /** Bytes of acknowledgements, in the order in which they came. */
  acks: number[];
  send(sequence: number, raw: string | Buffer): void;
  /** Resolves when `sequence` is acknowledged, or the connection has ended. */
  ackOf(sequence: number): Promise<void>;
};

export const connectOwn = async (path: string, sender: string, stream: string): Promise<OwnClient> => {
  const socket = connect(path);
  await once(socket, 'connect');
  const meta = Buffer.from(JSON.stringify({ via: 'self', host: 'test' }));
  const hello = Buffer.from(JSON.stringify({ sender, stream }));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(hello.length);
  socket.write(Buffer.concat([length, hello]));
  let rest = Buffer.alloc(0);
  const client: OwnClient = {
    socket,
    acked: 0,
    acks: [],
    send: (sequence, raw) => void socket.write(encodeOwnFrame(sequence, meta, Buffer.from(raw))),
    ackOf: (sequence) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (client.acked < sequence && !socket.destroyed) return;
          socket.off('data', look).off('close', look);
          resolve();
        };
        socket.on('data', look).on('close', look);
        look();
      }),
  };
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    for (; rest.length >= 8; rest = rest.subarray(8)) {
      client.acked = Number(rest.readBigUInt64BE(0));
      client.acks.push(client.acked);
    }
  });
  return client;
};
