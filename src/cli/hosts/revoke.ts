import { text, type Command } from '../command.ts';
import { CliError } from '../errors.ts';
import { Exit } from '../exit.ts';
import { jsonLine } from '../json-line.ts';
import { askedBy, askIssuer } from './issuer.ts';

export const hostsRevoke: Command = {
  name: 'hosts revoke',
  summary: 'from now on, hear no more of a host: its certificates and open tokens, or one by its number',
  arguments: '<name|serial>',
  flags: [
    { flags: '--reason <text>', description: 'why; stands in the log for ever' },
    { flags: '--by <name>', description: 'who asks, for the log (default: who is logged in)' },
  ],
  examples: ["holdfast hosts revoke web1.example --reason 'disk stolen' --state /srv/holdfast"],
  async run({ io, state, json }, args, flags) {
    const reason = text(flags, 'reason') ?? '';
    if (reason.trim() === '' || reason.length > 1024)
      throw new CliError('usage', '--reason is needed: why. It stands in the log for ever');
    const answer = await askIssuer(state, {
      kind: 'revoke',
      which: args[0] ?? '',
      reason,
      by: askedBy(flags),
    });
    if (answer.kind !== 'revoked') throw new CliError('refused', 'the issuer answered something else');
    const { serials, tokens } = answer;
    if (json) io.out(jsonLine({ serials, tokens, reason }));
    else
      io.out(
        [
          ...serials.map((serial) => `certificate ${serial} is revoked\n`),
          ...tokens.map((token) => `token ${token} is revoked\n`),
          'Whoever shows it is refused within seconds, and counted; connections that are open are ended.\n',
        ].join(''),
      );
    return Exit.done;
  },
};
