import { readFileSync } from 'node:fs';
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

/** Where lines are sent. */
export type Destination = {
  /** In words, for the log. */
  shown: string;
  /** @throws Error where what it needs (key, certificate) cannot be read */
  connect(): Socket;
  /** The event by which the connection is open. */
  opened: 'connect' | 'secureConnect';
};

/** The receiver on this machine: `run/own.sock`. */
export const localReceiver = (socket: string): Destination => ({
  shown: socket,
  connect: () => connect(socket),
  opened: 'connect',
});

/** PEM files. They are read anew for each connection, so that a renewed certificate is shown from the next one on. */
export type ClientFiles = { key: string; certificate: string; authority: string };

/** A receiver elsewhere, as listener kind `agent`. It must show a certificate of the same authority, for this name. */
export const remoteReceiver = (host: string, port: number, files: ClientFiles): Destination => ({
  shown: `${host}:${port}`,
  connect: () =>
    connectTls({
      host,
      port,
      ...(isIP(host) === 0 ? { servername: host } : {}),
      key: readFileSync(files.key),
      cert: readFileSync(files.certificate),
      ca: readFileSync(files.authority),
      minVersion: 'TLSv1.2',
    }).setKeepAlive(true, 30_000),
  opened: 'secureConnect',
});
