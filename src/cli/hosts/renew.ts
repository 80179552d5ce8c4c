import { resolve } from 'node:path';
import { text, type Command } from '../command.ts';
import { Exit } from '../exit.ts';
import { jsonLine } from '../json-line.ts';
import { explained } from './issuer.ts';
import { placeOf } from './place.ts';

export const hostsRenew: Command = {
  name: 'hosts renew',
  summary: 'on a host that sends: renew its certificate where less than a third of its life is left',
  flags: [
    {
      flags: '--server <host:port>',
      description: 'where the log’s host is now (default: where it was enrolled)',
    },
    {
      flags: '--files <directory>',
      description: 'where client.key and client.crt are (default: pki/ of the state directory)',
    },
    { flags: '--now', description: 'also where it is not yet time' },
  ],
  examples: [
    'holdfast hosts renew --state /srv/holdfast',
    'holdfast hosts renew --now --files /srv/holdfast/pki',
  ],
  async run({ io, state, json }, _args, flags) {
    const { hostFiles, readHostFile, renewalOf, renewHost } = await import('#pki/host');
    const directory = resolve(text(flags, 'files') ?? state.pki);
    const { name, expires, dueAt, due } = await explained(() =>
      renewalOf(readHostFile(hostFiles(directory).certificate), Date.now()),
    );
    if (!due && flags['now'] !== true) {
      if (json) io.out(jsonLine({ name, renewed: false, expires, due: dueAt }));
      else
        io.out(
          `the certificate of ${name} is good until ${expires.toISOString()}; it is renewed from ${dueAt.toISOString()} on\n`,
        );
      return Exit.done;
    }
    const server = text(flags, 'server');
    const granted = await explained(() =>
      renewHost(directory, server === undefined ? null : placeOf('--server', server)),
    );
    if (json) io.out(jsonLine({ name, renewed: true, expires: granted.expires, serial: granted.serial }));
    else
      io.out(
        `the certificate of ${name} is renewed: good until ${granted.expires} (serial ${granted.serial})\n`,
      );
    return Exit.done;
  },
};
