import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { test, type TestContext } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import { failure, probeTcp } from './tcp.ts';

const listening = async (t: TestContext, server: Server): Promise<number> => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return port;
};

const unpaced = async (): Promise<void> => undefined;

/** @param listenMs the whole of it is waited where the server does not speak first */
const look = async (port: number, listenMs = 100) =>
  probeTcp({ host: 'web1.example', address: '127.0.0.1', port, timeoutMs: 60_000, listenMs }, unpaced);

test('a server that speaks first is open, with its banner and how soon it answered', async (t) => {
  const port = await listening(
    t,
    createServer((socket) => void socket.end('SSH-2.0-OpenSSH_9.2\r\n')),
  );
  const { state, service, banner, milliseconds } = await look(port, 60_000);
  assert.deepEqual(
    { state, service, banner },
    { state: 'open', service: 'ssh', banner: 'SSH-2.0-OpenSSH_9.2' },
  );
  assert.ok((milliseconds ?? -1) >= 0);
});

test('a server that waits for its client is greeted', async (t) => {
  const hosts: (string | undefined)[] = [];
  const server = createHttpServer((request, response) => {
    hosts.push(`${request.method} ${request.headers.host}`);
    response.writeHead(403, { Server: 'nginx/1.22.1' }).end();
  });
  const { service, banner } = await look(await listening(t, server));
  assert.deepEqual({ service, banner }, { service: 'http', banner: 'HTTP/1.1 403 Forbidden, nginx/1.22.1' });
  assert.deepEqual(hosts, ['HEAD web1.example']);
});

test('a server that speaks TLS shows its certificate and the versions that it agrees to', async (t) => {
  const made = spawnSync(
    'openssl',
    // prettier-ignore
    ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', '-', '-days', '2',
      '-subj', '/CN=web1.example', '-addext', 'subjectAltName=DNS:web1.example,IP:192.0.2.1'],
    { encoding: 'utf8' },
  );
  assert.equal(made.status, 0, made.stderr);
  const asked = new Set<string>();
  const server = createTlsServer({
    key: made.stdout,
    cert: made.stdout,
    minVersion: 'TLSv1.2',
    SNICallback: (name, done) => {
      asked.add(name);
      done(null);
    },
  });
  server.on('tlsClientError', () => undefined);
  const { state, service, tls } = await look(await listening(t, server));
  assert.equal(state, 'open');
  assert.equal(service, 'tls');
  assert.deepEqual(tls?.versions, ['TLSv1.2', 'TLSv1.3']);
  assert.equal(tls.subject, 'web1.example');
  assert.deepEqual(tls.names, ['web1.example', '192.0.2.1']);
  assert.match(tls.expires ?? '', /^20\d\d-.*Z$/);
  assert.deepEqual([...asked], ['web1.example']);
});

test('a server that says nothing at all is open', async (t) => {
  const server = createServer((socket) => void socket.resume().on('error', () => undefined));
  const { state, service, banner, tls } = await probeTcp(
    {
      host: '127.0.0.1',
      address: '127.0.0.1',
      port: await listening(t, server),
      timeoutMs: 500,
      listenMs: 50,
    },
    unpaced,
  );
  assert.deepEqual(
    { state, service, banner, tls },
    { state: 'open', service: null, banner: null, tls: null },
  );
});

test('a server that never ends is not listened to for ever', async (t) => {
  const server = createServer((socket) => {
    const timer = setInterval(() => socket.write('x'.repeat(400)), 5);
    socket.on('error', () => undefined).on('close', () => clearInterval(timer));
  });
  const { banner } = await look(await listening(t, server), 60_000);
  assert.equal(banner, `${'x'.repeat(200)}…`);
});

test('a port where nobody listens is refused', async (t) => {
  const server = createServer();
  const port = await listening(t, server);
  server.close();
  await once(server, 'close');
  assert.equal((await look(port)).state, 'refused');
});

test('what ICMP says is filtered, and what this machine forbids itself is not looked at', () => {
  const of = (code: string, address = '192.0.2.1') =>
    failure(Object.assign(new Error(code), { code }), address, 1).result;
  assert.equal(of('EHOSTUNREACH'), 'filtered');
  assert.equal(of('ETIMEDOUT'), 'filtered');
  assert.equal(of('EACCES'), 'not-looked');
  assert.equal(of('EACCES', '2001:db8::1'), 'filtered');
  assert.equal(of('EMFILE'), 'not-looked');
});
