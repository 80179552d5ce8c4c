import type { BookEvent } from './event.ts';

export type HostCertificate = {
  name: string;
  serial: string;
  issued: string;
  expires: string;
  certificate: string;
  publicKey: string;
  /** `HOST:PORT` from which it was asked for; `null`: on the authority's own host. */
  peer: string | null;
  /** The token that was used up for it. */
  token: string | null;
  revoked: { time: string; reason: string } | null;
};

export type KnownToken = {
  token: string;
  name: string;
  expires: string;
  publicKey: string;
  used: boolean;
  revoked: boolean;
};

/** What the book comes to. */
export type Register = {
  authority: { fingerprint: string; expires: string; certificate: string } | null;
  server: { names: readonly string[]; serial: string; expires: string; certificate: string } | null;
  tokens: Map<string, KnownToken>;
  /** By serial number, in the order of their issue. */
  certificates: Map<string, HostCertificate>;
};

export const emptyRegister = (): Register => ({
  authority: null,
  server: null,
  tokens: new Map(),
  certificates: new Map(),
});

/** Adds what an event says. */
export const enter = (register: Register, event: BookEvent): void => {
  const { tokens, certificates } = register;
  switch (event.kind) {
    case 'authority-created':
      register.authority = event;
      return;
    case 'server-certificate-issued':
      register.server = event;
      return;
    case 'token-created':
      tokens.set(event.token, { ...event, used: false, revoked: false });
      return;
    case 'token-revoked':
      change(tokens, event.token, { revoked: true });
      return;
    case 'certificate-issued':
      if (event.token !== null) change(tokens, event.token, { used: true });
      certificates.set(event.serial, { ...event, revoked: null });
      return;
    case 'certificate-renewed':
      certificates.set(event.serial, { ...event, token: null, revoked: null });
      return;
    case 'certificate-revoked':
      change(certificates, event.serial, { revoked: { time: event.time, reason: event.reason } });
      return;
  }
};

const change = <T>(map: Map<string, T>, key: string, to: Partial<T>): void => {
  const known = map.get(key);
  if (known !== undefined) map.set(key, { ...known, ...to });
};
