import { alertsList } from './alerts/list.ts';
import { alertsTest } from './alerts/test.ts';
import { audit } from './audit/command.ts';
import type { Command } from './command.ts';
import { hostsEnrol } from './hosts/enrol.ts';
import { hostsFirewall } from './hosts/firewall.ts';
import { hostsList } from './hosts/list.ts';
import { hostsRenew } from './hosts/renew.ts';
import { hostsRevoke } from './hosts/revoke.ts';
import { hostsToken } from './hosts/token.ts';
import { hostsSnippet } from './hosts/snippet.ts';
import { indexRebuild } from './search-index/rebuild.ts';
import { indexStatus } from './search-index/status.ts';
import { isolationShow } from './isolation/show.ts';
import { logsContext } from './logs/context.ts';
import { logsBrowse } from './logs/browse.ts';
import { logsFields } from './logs/fields.ts';
import { logsPatterns } from './logs/patterns.ts';
import { logsImport } from './logs/import.ts';
import { logsSaved } from './logs/saved.ts';
import { logsSearch } from './logs/search.ts';
import { logsSources } from './logs/sources.ts';
import { logsSql } from './logs/sql.ts';
import { logsTail } from './logs/tail.ts';
import { patchesList } from './patches/list.ts';
import { servicesList } from './services/list.ts';
import { servicesUsers } from './services/users.ts';
import { vaultCheck } from './vault/check.ts';
import { vaultExport } from './vault/export.ts';
import { vaultFsck } from './vault/fsck.ts';
import { vaultExpire } from './vault/expire.ts';
import { vaultHold } from './vault/hold.ts';
import { vaultHolds } from './vault/holds.ts';
import { vaultProve } from './vault/prove.ts';
import { vaultRedact } from './vault/redact.ts';
import { vaultRelease } from './vault/release.ts';
import { vaultRotateKey } from './vault/rotate-key.ts';
import { vaultTimestamps } from './vault/timestamps.ts';
import { vaultVerify } from './vault/verify.ts';

export { keptUses } from './services/kept-uses.ts';
export { callSearch } from './search-socket.ts';
export { text, texts, type Command, type Context, type Flag, type Flags } from './command.ts';
export { CliError } from './errors.ts';
export { Exit } from './exit.ts';
export { renderGaps } from './gap.ts';
export { processIo, type Io } from './io.ts';
export { jsonLine } from './json-line.ts';
export { runProgram } from './program.ts';
export { openRecording, type Recording } from './say.ts';
export { table } from './table.ts';
export { wrap } from './wrap.ts';

/** Every command but `up`, which is a composition root and lives in src/processes/up. */
export const commands: readonly Command[] = [
  alertsList,
  alertsTest,
  audit,
  logsSearch,
  logsContext,
  logsTail,
  logsSources,
  logsImport,
  logsBrowse,
  logsPatterns,
  logsFields,
  logsSql,
  logsSaved,
  vaultVerify,
  vaultProve,
  vaultCheck,
  vaultExpire,
  vaultHold,
  vaultHolds,
  vaultRelease,
  vaultRedact,
  vaultExport,
  vaultFsck,
  vaultRotateKey,
  vaultTimestamps,
  hostsList,
  hostsToken,
  hostsEnrol,
  hostsRenew,
  hostsRevoke,
  hostsFirewall,
  hostsSnippet,
  servicesList,
  servicesUsers,
  patchesList,
  isolationShow,
  indexRebuild,
  indexStatus,
];
