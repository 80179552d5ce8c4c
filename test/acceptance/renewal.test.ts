import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '#base/clock';
import { stateDirectory } from '#base/state';
import { newKey } from '#pki/host';
import { passOn, startReceiver } from '#receive';
import { day, enrolment, openPlace, serverPem } from '../../src/pki/testing/place.ts';
import { readStored } from '../../src/receive/testing/stored.ts';
import { holdfast, run, until } from '../harness/up.ts';

test('an agent whose certificate is near its end renews it by itself, and sends on', async (t) => {
  const place = await openPlace(t);
  // Issued eighty days ago: of its ninety, ten are left.
  place.at.days = -80;
  const key = newKey();
  const text = await place.token('web1.example');
  const { body } = await place.stranger('/enrol', await enrolment(text, 'web1.example', key));
  place.at.days = 0;

  const root = mkdtempSync(join(tmpdir(), 'holdfast-renewal-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  // The agent of root's is an ordinary user, who has to get through.
  chmodSync(root, 0o755);
  const [server, host] = [stateDirectory(join(root, 'server')), stateDirectory(join(root, 'host'))];
  for (const path of [server.intake, server.run, host.pki]) mkdirSync(path, { recursive: true });
  const serverKey = join(root, 'server.key');
  writeFileSync(serverKey, serverPem);
  const receiver = await startReceiver({
    state: server,
    listen: [
      { kind: 'https', host: '127.0.0.1', port: 0 },
      { kind: 'agent', host: '127.0.0.1', port: 0 },
    ],
    tls: {
      certificate: join(place.issued, 'server.crt'),
      key: serverKey,
      authority: join(place.issued, 'authority.crt'),
      revoked: join(place.issued, 'revoked'),
    },
    certificates: passOn(place.asked),
    clock: systemClock(),
    log: () => undefined,
    onFault(error) {
      throw error;
    },
  });
  t.after(() => receiver.stop());
  const port = Number(receiver.addresses['https']?.split(':').at(-1));
  const certificate = join(host.pki, 'client.crt');
  writeFileSync(join(host.pki, 'client.key'), key, { mode: 0o600 });
  writeFileSync(certificate, body.certificate);
  writeFileSync(join(host.pki, 'authority.crt'), readFileSync(join(place.issued, 'authority.crt')));
  writeFileSync(join(host.pki, 'enrolment.json'), JSON.stringify({ host: '127.0.0.1', port }));

  const agent = spawn(
    holdfast,
    ['agent', '--state', host.root, '--server', receiver.addresses['agent'] ?? ''],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let said = '';
  agent.stderr.setEncoding('utf8').on('data', (chunk: string) => (said += chunk));
  t.after(async () => {
    if (agent.exitCode !== null || agent.signalCode !== null) return;
    agent.kill('SIGTERM');
    await once(agent, 'exit');
  });
  const serial = (): string => new X509Certificate(readFileSync(certificate)).serialNumber;
  await until('the certificate is renewed', () => serial() !== body.serial).catch((error: unknown) =>
    assert.fail(`${String(error)}\n${said}`),
  );
  const made = new X509Certificate(readFileSync(certificate));
  assert.ok(Date.parse(made.validTo) > Date.now() + 89 * day);
  await until('its lines come under its name', () =>
    readStored(server.intake).deliveries.some(({ tlsName }) => tlsName === 'web1.example'),
  );
  const again = run('hosts', 'renew', '--state', host.root, '--json');
  assert.equal(JSON.parse(again.stdout).renewed, false, 'and not before it is time again');
});
