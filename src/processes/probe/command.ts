import { CliError, text, type Command } from '#cli';

export const servicesProbe: Command = {
  name: 'services probe',
  summary: 'see a host from outside: what answers, what refuses, what is filtered',
  arguments: '[host]',
  flags: [
    {
      flags: '--i-operate-this-host',
      description:
        'you answer for the host, or its operator asked you to; for those that are not enrolled here',
    },
    { flags: '--ports <list>', description: 'these alone: tcp/22,udp/53,tcp/8000-8010' },
    {
      flags: '--inside <file>',
      description: "what the host says of itself, by 'services list --json' there; - for standard input",
    },
    {
      flags: '--through <command>',
      description:
        "what runs a command on the host, e.g. 'ssh root@web1': it is asked what it has open, and counts what reaches UDP doors that answer nothing",
    },
    { flags: '--rate <n>', description: 'connections that begin in a second', default: '20' },
    {
      flags: '--udp-rate <n>',
      description: 'datagrams in a second; a host tells of closed ports once a second',
      default: '1',
    },
    {
      flags: '--listen-for <token>',
      description:
        'on the host itself, in place of a host: count what --token of another host sends to --ports',
    },
    { flags: '--for <seconds>', description: 'with --listen-for: for how long', default: '60' },
    { flags: '--token <token>', description: 'send this to UDP doors that answer nothing' },
    { flags: '--timeout <seconds>', description: 'how long an answer may take', default: '3' },
  ],
  examples: [
    'holdfast services probe 127.0.0.1 --i-operate-this-host --ports tcp/22,udp/53',
    'holdfast services probe 127.0.0.1 --i-operate-this-host --ports tcp/22 --json',
    'holdfast services probe --listen-for abcdefghijkl --ports udp/514',
  ],
  async run(context, args, flags) {
    const [host] = args;
    const token = text(flags, 'listenFor');
    if ((host === undefined) === (token === undefined))
      throw new CliError('usage', 'name one host, or on the host itself --listen-for with a token');
    // Loaded only here, so that every other command starts without them.
    if (token !== undefined) return (await import('./listen.ts')).runListening(context, token, flags);
    return (await import('./run.ts')).runProbe(context, host ?? '', flags);
  },
};
