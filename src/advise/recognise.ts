import type { Listener } from '#inspect';
import type { KnownService } from './known-service.ts';
import { knownServices } from './known-services.ts';

/** Last part of a path. */
export const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/**
 * The known service behind a listener: by executable, else by the kernel's own service, by package, by what an
 * interpreter runs, or by the unit. Never by port number alone, because anything can listen on any port.
 */
export const recognise = (listener: Listener): KnownService | null => {
  const names = listener.processes.flatMap(({ exe }) => (exe === null ? [] : [baseName(exe)]));
  const packages = listener.processes.map((process) => process.package);
  const scripts = listener.processes.flatMap(({ script }) => script ?? []);
  const units = [listener.socketUnit, listener.activates, ...listener.processes.map(({ unit }) => unit)];
  const kernel = listener.kernelService;
  const tests: ((service: KnownService) => boolean)[] = [
    // `master` is Postfix's, but others have one too: a name that the packages contradict does not count.
    (service) =>
      names.some((name) => service.executables.includes(name)) &&
      (service.packages === undefined ||
        packages.some((one) => one === null || service.packages?.includes(one))),
    (service) => kernel !== null && (service.kernel ?? []).some((name) => kernel.startsWith(name)),
    (service) => packages.some((one) => one !== null && service.packages?.includes(one)),
    (service) => scripts.some((script) => service.script?.test(script)),
    (service) => units.some((unit) => unit !== null && service.units?.includes(unit)),
  ];
  for (const test of tests) {
    const found = knownServices.find(test);
    if (found !== undefined) return found;
  }
  return null;
};

/** The subject of a sentence about a listener. */
export const subjectOf = (listener: Listener): string => {
  const [first] = listener.processes.toSorted((a, b) => Number(a.exe === null) - Number(b.exe === null));
  const name = first?.exe === null || first === undefined ? null : baseName(first.exe);
  const ran = first?.script === null || first?.script === undefined ? '' : ` (${first.script})`;
  switch (listener.holder) {
    case 'kernel':
      return `The kernel (${listener.kernelService ?? 'unknown part'})`;
    case 'unseen':
      return 'Something that could not be seen';
    case 'systemd':
      return `systemd, for ${listener.activates ?? listener.socketUnit ?? 'an unknown unit'},`;
    case 'forwarder':
      return `${name ?? 'A forwarder'}${listener.forwardsTo === null ? '' : `, for ${listener.forwardsTo},`}`;
    case 'process':
      return `${name ?? `Process ${first?.pid ?? '?'}`}${ran}`;
  }
};
