import type { Command } from '#cli';
import { upFlags } from './command.ts';

export const configCheck: Command = {
  name: 'config check',
  summary: 'what is wrong with a configuration, or would hurt later, before it is used; takes what up takes',
  flags: upFlags,
  examples: [
    'holdfast config check',
    'holdfast config check --listen syslog-tls=0.0.0.0:6514 --listen syslog-udp=127.0.0.1:5514',
  ],
  async run(context, _args, flags) {
    const { check } = await import('./check.ts');
    return check(context, flags);
  },
};
