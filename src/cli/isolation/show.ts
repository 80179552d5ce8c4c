import { printable } from '#base/printable';
import type { SharedService } from '#inspect';
import { isUnseen } from '#wire/audit';
import type { Command } from '../command.ts';
import { Exit } from '../exit.ts';
import { renderGaps } from '../gap.ts';
import { jsonLine } from '../json-line.ts';
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
    const status = isUnseen('isolation', report) ? Exit.couldNotLook : Exit.done;
    if (json) {
      io.out(jsonLine(report));
      return status;
    }
    for (const fact of isolationFacts(report)) io.out(`${printable(fact)}\n`);
    for (const evidence of [...report.machine.evidence, ...report.container.evidence])
      io.out(`  ${io.paint('dim', printable(evidence))}\n`);
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
          listensOf(service),
        ]),
      ),
    );
    io.err(renderGaps(io, report.couldNotLook));
    return status;
  },
};

/** `?` where its descriptors could not all be read and nothing was found. */
const listensOf = ({ listens }: SharedService): string =>
  listens === null
    ? '?'
    : listens
        .map(
          ({ protocol, address, port, scope }) =>
            `${protocol} ${address}${port === null ? '' : ` ${port}`} (${scope})`,
        )
        .join('; ') || '-';
