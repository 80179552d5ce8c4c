import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { assertIntact, openTest, vaultFor, withCode } from '../testing/test-vault.ts';
import { openAppender } from './appender.ts';
import { keyFiles } from './keys.ts';

const creds = (...args: string[]): { status: number | null; stderr: string } =>
  spawnSync('systemd-creds', args, { encoding: 'utf8' });

const isMissing = creds('--version').status !== 0;

/**
 * The zero key, which seals against nobody but needs neither a TPM nor a secret of this machine; systemd 254 renamed it
 * and asks for a flag to unseal it.
 */
const seal = (from: string, to: string): void => {
  const name = '--name=holdfast-signer';
  const [first, second] = ['tpm2-absent', 'null'].map((key) =>
    creds(`--with-key=${key}`, name, 'encrypt', from, to),
  );
  assert.ok([first?.status, second?.status].includes(0), `${first?.stderr}${second?.stderr}`);
};

/** What the service manager does for `LoadCredentialEncrypted=`: unseal into a directory of the unit's own. */
const unseal = (from: string, to: string): void => {
  const name = '--name=holdfast-signer';
  const plain = creds(name, 'decrypt', from, to);
  const allowed = plain.status === 0 ? plain : creds('--allow-null', name, 'decrypt', from, to);
  assert.equal(allowed.status, 0, allowed.stderr);
};

it(
  'a key sealed by the real systemd-creds signs once it is unsealed for the keeper, and lies in keys/ no more',
  { skip: isMissing ? 'systemd-creds is not installed (Debian: systemd)' : false },
  async (t) => {
    const made = vaultFor(t);
    const { signer } = keyFiles(made.keys);
    const sealed = join(made.root, 'signer.cred');
    seal(signer, sealed);
    assert.ok(statSync(sealed).size > 100);
    rmSync(signer);
    await assert.rejects(openTest(made), withCode('absent'));
    const unsealed = join(made.root, 'holdfast-signer');
    unseal(sealed, unsealed);
    const unsealedKey = readFileSync(unsealed);
    rmSync(unsealed);
    const appender = await openAppender({ ...made, unsealedKey, patienceMs: 0 });
    await appender.commit([{ kind: 'heartbeat' }], appender.intake());
    appender.close();
    assert.ok(!existsSync(signer));
    await assertIntact(made);
  },
);
