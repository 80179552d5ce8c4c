import { serviceOf } from '../service-unit.ts';
import { command, type Knob, type KnobFacts } from './knob.ts';
import { dropIn, loopbackOf } from './text.ts';

/** `[::]:3306` and `3306` → address and port; `null` for what is no network address: paths, `@names`, vsock. */
const endpointIn = (value: string): { address: string | null; port: string } | null => {
  const [, six, four, port = ''] = /^(?:(?:\[([^\]]*)\]|([\d.]+)):)?(\d+)(?:%.*)?$/.exec(value.trim()) ?? [];
  return port === '' ? null : { address: six ?? four ?? null, port };
};

type Listen = { key: string; value: string };

/** The `Listen…=` that are in effect in the output of `systemctl cat`: an empty one forgets those before it. */
export const listensIn = (printed: string): Listen[] => {
  let listens: Listen[] = [];
  let section = '';
  for (const line of printed.split('\n')) {
    section = /^\[(\w+)\]/.exec(line)?.[1] ?? section;
    const [, key, value] = /^(Listen\w+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (section !== 'Socket' || key === undefined || value === undefined) continue;
    if (value === '') listens = listens.filter((one) => one.key !== key);
    else listens.push({ key, value });
  }
  return listens;
};

/** The same `Listen…=`, network addresses replaced by this host's own; a port without address gets both families. */
export const localListens = (listens: readonly Listen[]): string[] => {
  const lines = listens.flatMap(({ key, value }) => {
    const endpoint = endpointIn(value);
    if (endpoint === null) return [`${key}=${value}`];
    const { address, port } = endpoint;
    if (address === null || address === '::') return [`${key}=127.0.0.1:${port}`, `${key}=[::1]:${port}`];
    return [address.includes(':') ? `${key}=[::1]:${port}` : `${key}=${loopbackOf(address)}:${port}`];
  });
  return [...new Set(lines)];
};

/**
 * For what systemd listens for, whatever the service's own configuration says: ssh.socket, rpcbind.socket, cups.socket,
 * mariadb.socket. The service has the old sockets still, so it is stopped first.
 */
export const socketKnob = (unit: string, activates: string | null): Knob => ({
  service: unit,
  files: [],
  asks: [['systemctl', 'cat', unit]],
  turn: ({ answers: [printed] }: KnobFacts) => {
    if (printed === null || printed === undefined)
      return { why: `systemctl does not show ${unit}`, remedy: `see 'systemctl cat ${unit}'` };
    const listens = listensIn(printed);
    const service = serviceOf(activates);
    const units = service === null ? [unit] : [unit, service];
    const keys = [...new Set(listens.map(({ key }) => key))];
    return {
      edits: [
        dropIn(`/etc/systemd/system/${unit}.d/zz-holdfast-local.conf`, [
          '[Socket]',
          ...keys.map((key) => `${key}=`),
          ...localListens(listens),
        ]),
      ],
      checks: [command('systemd-analyze', '--man=no', 'verify', unit)],
      effective: null,
      apply: [
        ['systemctl', 'daemon-reload'],
        ['systemctl', 'stop', ...units],
        ['systemctl', 'start', ...units],
      ],
      cautions: [],
    };
  },
});
