import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { snippets, type Target } from '../../src/cli/hosts/snippets/index.ts';
import type { Holder, TestAuthority } from '../../src/receive/testing/authority.ts';

/** What `holdfast hosts snippet` prints. */
export const written = (sender: string, way: string, target: Partial<Target> & { port: number }): string => {
  const found = snippets.find(({ name }) => name === sender)?.ways[way];
  assert.ok(found, `${sender} ${way}`);
  return found.write({ host: '127.0.0.1', files: '/nowhere', ...target });
};

/** The files of /etc/holdfast on a sender. */
export const senderFiles = (
  directory: string,
  { files }: TestAuthority,
  { key, certificate }: Holder,
): string => {
  const at = join(directory, 'holdfast');
  mkdirSync(at);
  cpSync(files.authority, join(at, 'authority.crt'));
  cpSync(key, join(at, 'client.key'));
  cpSync(certificate, join(at, 'client.crt'));
  return at;
};

export const versionOf = (
  program: string,
  pattern: RegExp,
  args: readonly string[] = ['--version'],
): string => {
  const { stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  return pattern.exec(`${stdout}${stderr}`)?.[1] ?? 'of unknown version';
};
