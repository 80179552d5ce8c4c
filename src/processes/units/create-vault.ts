import { messageOf } from '#base/errors';
import { systemClock } from '#base/clock';
import { ownLog } from '#base/own-log';
import { stateDirectory } from '#base/state';
import { createVault } from '#vault/append';
import { userOfThisHost } from './users.ts';

/**
 * Makes the vault of a new state directory, for the keeper's user; deploy/install.sh asks for it once. Prints its origin.
 *
 *     node create-vault.ts STATE
 */
const [root] = process.argv.slice(2);
const log = ownLog('create-vault');
if (root === undefined) {
  log('error', 'it takes the state directory');
  process.exit(2);
}
try {
  const { vault, keys } = stateDirectory(root);
  // New directories get the group of their parent, which its set-group-id bit says.
  process.umask(0o027);
  const { origin } = createVault({ vault, keys, clock: systemClock(), owner: userOfThisHost('keeper') });
  process.stdout.write(`${origin}\n`);
} catch (error) {
  log('error', messageOf(error));
  process.exit(1);
}
