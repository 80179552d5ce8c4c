import { Exit, jsonLine, type Command } from '#cli';
import { renderStep } from './render.ts';

export const servicesUndo: Command = {
  name: 'services undo',
  summary: 'put back what a fix changed, byte for byte; the newest one where none is named',
  arguments: '[fix]',
  flags: [
    { flags: '--overwrite', description: 'also where its files were changed since' },
    {
      flags: '--guard',
      description: 'for systemd: leave alone what is done, and try the rest until it is undone',
    },
  ],
  examples: ['holdfast services undo', 'holdfast services undo 20261127-131502-mariadb-9c1f'],
  async run(context, args, flags) {
    const { io, json } = context;
    const [{ undo, undoAsGuard }, { withFixer }] = await Promise.all([
      import('#fix'),
      import('./surroundings.ts'),
    ]);
    const undone = await withFixer(
      context,
      (entry) => (json ? io.err : io.out)(renderStep(io, entry)),
      async (fixer) =>
        flags['guard'] === true && args[0] !== undefined
          ? undoAsGuard(fixer, args[0])
          : undo(fixer, {
              id: args[0] ?? null,
              changed: flags['overwrite'] === true ? 'overwrite' : 'refuse',
              by: 'operator',
            }),
    );
    if (json) io.out(jsonLine(undone));
    return undone === null || undone.good ? Exit.done : Exit.bad;
  },
};
