import type { Command } from '../command.ts';
import { Exit } from '../exit.ts';
import { table } from '../table.ts';

export const isolationShow: Command = {
  name: 'isolation show',
  summary: 'what this host is, which services share it, and which of them are root',
  examples: ['holdfast isolation show', 'holdfast isolation show --json'],
  async run({ io, json }) {
    const [{ collectIsolation }, { isolationFacts }] = await Promise.all([
      import('#inspect'),
      import('../audit/facts.ts'),
    ]);
    const report = await collectIsolation();
    if (json) {
      io.out(`${JSON.stringify(report)}\n`);
      return Exit.done;
    }
    for (const fact of isolationFacts(report)) io.out(`${fact}\n`);
    for (const evidence of [...report.machine.evidence, ...report.container.evidence])
      io.out(`  ${io.paint('dim', evidence)}\n`);
    io.out('\n');
    io.out(
      table(
        io,
        ['SERVICE', 'USERS', 'ROOT', 'CAPABILITIES', 'SECCOMP', 'NO NEW PRIVS', 'OWN NAMESPACES', 'LISTENS'],
        report.services.map((service) => [
          service.name,
          service.users.join(','),
          service.root ? 'root' : '-',
          service.capabilities.length > 3
            ? `${service.capabilities.length}`
            : service.capabilities.join(',') || '-',
          service.seccomp,
          service.noNewPrivileges ? 'yes' : 'no',
          service.ownNamespaces === null ? '?' : service.ownNamespaces.join(',') || '-',
          service.listens
            .map(
              ({ protocol, address, port, scope }) =>
                `${protocol} ${address}${port === null ? '' : ` ${port}`} (${scope})`,
            )
            .join('; ') || '-',
        ]),
      ),
    );
    for (const gap of report.couldNotLook) io.err(`could not look: ${gap.what}: ${gap.why}. ${gap.remedy}\n`);
    return Exit.done;
  },
};
