import { text, type Command } from '#cli';

export const agent: Command = {
  name: 'agent',
  summary: 'send this host’s logs and facts to a Holdfast on another host, over TLS',
  flags: [
    {
      flags: '--server <host:port>',
      description: 'where the other one listens (its --listen agent=HOST:PORT)',
    },
    {
      flags: '--publisher <url>',
      description: 'where it publishes its log (its --publish): this host then witnesses it; takes --log too',
    },
    { flags: '--log <file>', description: 'file with the public key of that log (keys/vault.vkey there)' },
  ],
  examples: ['holdfast agent --server log.example:6515'],
  async run(context, _args, flags) {
    // Loaded only here, so that every other command starts without it.
    const { runAgent } = await import('./run.ts');
    return runAgent(context, {
      server: text(flags, 'server'),
      publisher: text(flags, 'publisher'),
      log: text(flags, 'log'),
    });
  },
};
