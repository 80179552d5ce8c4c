import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { createTransport } from 'nodemailer';
import type { NotifyTarget, Notification } from '#wire/alert';
import { mailOf } from './mail.ts';
import { readSecret } from './secret.ts';

type Email = Extract<NotifyTarget['how'], { by: 'email' }>;

const patienceMs = 30_000;

/**
 * Hands a mail to the server; it is delivered once the server has taken it.
 * @throws Error what the server, or the way to it, said
 */
export const sendMail = async (how: Email, to: string, notification: Notification): Promise<void> => {
  const { host, port, tls, user, passwordFile, caFile, from } = how;
  const transport = createTransport({
    host,
    port,
    secure: tls === 'implicit',
    requireTLS: tls === 'starttls',
    ignoreTLS: tls === 'none',
    name: hostname(),
    ...(user === null || passwordFile === null ? {} : { auth: { user, pass: readSecret(passwordFile) } }),
    tls: { minVersion: 'TLSv1.2', ...(caFile === null ? {} : { ca: readFileSync(caFile) }) },
    connectionTimeout: patienceMs,
    greetingTimeout: patienceMs,
    socketTimeout: patienceMs,
    // What a log line says is text, and never a file or an address to be fetched.
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  try {
    const { subject, text, headers, messageId } = mailOf(notification);
    await transport.sendMail({
      from,
      to,
      subject,
      text,
      headers,
      messageId,
      date: new Date(notification.time),
    });
  } finally {
    transport.close();
  }
};
