import { once } from 'node:events';
import { request, type IncomingHttpHeaders } from 'node:http';
import { dial } from './receiver.ts';

export type HttpAnswer = { status: number; headers: IncomingHttpHeaders; body: string };

/** One request, by Node's own client, on a connection of its own. */
export const post = async (
  port: number,
  path: string,
  body: string | Buffer,
  headers: Record<string, string> = {},
  method = 'POST',
): Promise<HttpAnswer> => {
  const sent = request({ port, host: '127.0.0.1', path, method, headers, agent: false });
  sent.end(body);
  const [response] = await once(sent, 'response');
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return { status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks).toString() };
};

/** What comes back for bytes as they are, until the connection is closed. */
export const raw = async (port: number, bytes: string | Buffer, forMs = 10_000): Promise<string> => {
  const socket = await dial(port);
  socket.on('error', () => undefined);
  let answer = '';
  socket.on('data', (chunk) => {
    answer += String(chunk);
  });
  socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  const timer = setTimeout(() => socket.destroy(), forMs);
  await once(socket, 'close');
  clearTimeout(timer);
  return answer;
};
