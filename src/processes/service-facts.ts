import type { PackageFinder, ServicesReport } from '#inspect';
import { collectServices } from '#inspect';
import type { Fact } from '#ship';

/** One fact for each endpoint, so that the log tells when which one came, changed and went. */
export const serviceFacts = async (packages: PackageFinder): Promise<Fact[]> =>
  factsOf(await collectServices({ packages }));

const factsOf = ({ listeners, couldNotLook }: ServicesReport): Fact[] => {
  const byName = Map.groupBy(
    // Socket inodes are new with every restart and say nothing that the processes do not; JSON leaves out undefined.
    listeners
      .filter((listener) => listener.transient !== true)
      .map((listener) => ({
        ...listener,
        inodes: undefined,
        transient: undefined,
        // Command lines may hold what should not leave the host.
        processes: listener.processes.map((process) => ({ ...process, args: undefined })),
      })),
    ({ protocol, address, port, netns }) =>
      `listener ${protocol} ${address} ${port ?? '-'} netns ${netns.inode ?? '-'}`,
  );
  const facts = [...byName].map(([name, value]): Fact => ({ name, value }));
  return [...facts, { name: 'listeners could-not-look', value: couldNotLook }];
};
