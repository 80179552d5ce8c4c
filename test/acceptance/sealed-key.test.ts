import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { removeState, run, startUp, temporaryState, until } from '../harness/up.ts';

/** The size that the published checkpoint says. */
const size = (vault: string): number =>
  Number(readFileSync(join(vault, 'checkpoint'), 'utf8').split('\n')[1]);

test('holdfast up hands a key that systemd unsealed to the keeper alone, which signs with it', async (t) => {
  const state = temporaryState();
  t.after(() => removeState(state));
  const first = await startUp(state);
  await until('something is committed', () => size(state.vault) > 0);
  await first.interrupt();

  // As systemd leaves it for a unit with LoadCredentialEncrypted=holdfast-signer:…
  const credentials = mkdtempSync(join(tmpdir(), 'holdfast-credentials-'));
  t.after(() => rmSync(credentials, { recursive: true, force: true }));
  renameSync(join(state.keys, 'signer.key'), join(credentials, 'holdfast-signer'));
  const before = size(state.vault);
  process.env['CREDENTIALS_DIRECTORY'] = credentials;
  t.after(() => delete process.env['CREDENTIALS_DIRECTORY']);
  const up = await startUp(state);
  t.after(() => up.interrupt());
  await until('it signs', () => size(state.vault) > before);
  assert.ok(!existsSync(join(state.keys, 'signer.key')));
  const environment = (name: string): string =>
    readFileSync(`/proc/${up.ready().processes[name]?.pid}/environ`, 'latin1');
  if (process.getuid?.() === 0) {
    assert.match(environment('keeper'), /HOLDFAST_SIGNER_FD=4/);
    for (const name of ['receiver', 'indexer', 'console', 'publisher'])
      assert.doesNotMatch(environment(name), /HOLDFAST_SIGNER_FD|CREDENTIALS_DIRECTORY/);
  }
  assert.equal(run('vault', 'verify', '--state', state.root).status, 0);
  const asked = ['--reason', 'r', '--by', 'b', '--state', state.root];
  const rotation = run('vault', 'rotate-key', ...asked);
  assert.notEqual(rotation.status, 0);
  assert.match(rotation.stderr, /sealed with systemd-creds/);
});
