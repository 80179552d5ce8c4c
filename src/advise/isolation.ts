import type { Finding } from '#wire/audit';
import type { IsolationReport, ListensOn, SharedService } from '#inspect';
import { baseName } from './recognise.ts';

/** What falls when one service falls: services that face the network as root, and what shares the system with them. */
export const findIsolation = (report: IsolationReport): Finding[] => [
  ...unconfinedRoot(report),
  ...sharedInstance(report),
  ...rootServices(report),
  ...containerRoot(report),
];

/** What strangers can reach of it. Where that is not known, the report says so, and nothing is found. */
const exposed = ({ listens }: SharedService): ListensOn[] =>
  (listens ?? []).filter(({ scope }) => scope === 'public' || scope === 'network');

/** systemd as the first process holds sockets for its socket units, and reads nothing from them. */
const isInit = ({ pids, exe }: SharedService): boolean =>
  pids.includes(1) && exe !== null && baseName(exe) === 'systemd';

const facesNetwork = (service: SharedService): boolean => !isInit(service) && exposed(service).length > 0;

const display = ({ name }: SharedService): string => baseName(name);

const places = (service: SharedService): string =>
  exposed(service)
    .slice(0, 4)
    .map(
      ({ protocol, address, port }) =>
        `${protocol} ${address.includes(':') ? `[${address}]` : address}:${port ?? '*'}`,
    )
    .join(', ');

/** sshd has to be root to become its users, and drops privileges per connection by itself. */
const hasToBeRoot = (service: SharedService): boolean =>
  /(?:^|\/)sshd?(?:\.service|@.*)?$/.test(service.name);

const unconfinedRoot = ({ services, init }: IsolationReport): Finding[] =>
  services
    .filter((one) => one.root && facesNetwork(one) && !hasToBeRoot(one))
    .filter((one) => one.seccomp === 'off' && one.capabilities.includes('CAP_SYS_ADMIN'))
    .map((one) => ({
      id: `isolation/unconfined-root/${one.name}`,
      section: 'isolation',
      severity: exposed(one).some(({ scope }) => scope === 'public') ? 'medium' : 'low',
      title: `${display(one)} faces the network as root, and nothing confines it`,
      evidence: [
        `${one.pids.length === 1 ? 'pid' : 'pids'} ${one.pids.slice(0, 5).join(', ')}, user ${one.users.join(', ')}, ${one.exe ?? '(executable unreadable)'}`,
        `listens on ${places(one)}`,
        `${one.capabilities.length} capabilities, CAP_SYS_ADMIN among them; no seccomp filter${one.noNewPrivileges ? '' : '; may gain privileges'}`,
      ],
      options: [
        {
          step: 'configure',
          action:
            init !== 'systemd'
              ? 'run it as a user of its own without capabilities, e.g. from what starts it: setpriv --reuid=<its own> --init-groups --no-new-privs --inh-caps=-all --bounding-set=-all <command>'
              : one.unit === null
                ? 'run it as a user of its own, from a systemd unit with NoNewPrivileges=yes and ProtectSystem=strict'
                : `systemctl edit ${one.unit}: User=<its own>, NoNewPrivileges=yes, ProtectSystem=strict, SystemCallFilter=@system-service, CapabilityBoundingSet=<what it needs>; compare: systemd-analyze security ${one.unit}`,
        },
      ],
    }));

const sharedInstance = ({ services, init }: IsolationReport): Finding[] => {
  const facing = services.filter((one) => facesNetwork(one) && !hasToBeRoot(one));
  if (facing.length < 2) return [];
  return [
    {
      id: 'isolation/shared-system/host',
      section: 'isolation',
      severity: 'low',
      title: `${facing.length} services that face the network share this system: whoever takes one is beside the others`,
      evidence: facing
        .slice(0, 10)
        .map((one) => `${display(one)}: user ${one.users.join(', ')}; ${places(one)}`),
      options: [
        {
          step: 'configure',
          action:
            init === 'systemd'
              ? 'move services that do not need each other to virtual machines of their own, or sandbox their units'
              : 'move services that do not need each other to virtual machines or containers of their own',
        },
      ],
    },
  ];
};

const rootServices = ({ services, servicesSeen, init }: IsolationReport): Finding[] => {
  const root = services.filter((one) => one.root);
  if (root.length === 0) return [];
  return [
    {
      id: 'isolation/root-services/host',
      section: 'isolation',
      severity: 'info',
      title: `${root.length} of ${services.length} services${servicesSeen === 'all' ? '' : ' that could be seen'} ${root.length === 1 ? 'runs' : 'run'} as root`,
      evidence: root
        .slice(0, 20)
        .map(
          (one) =>
            `${display(one)}${one.noNewPrivileges ? ', no new privileges' : ''}${one.seccomp === 'off' ? '' : ', seccomp filter'}`,
        ),
      options: [
        {
          step: 'configure',
          action: `see which need it${init === 'systemd' ? ': systemd-analyze security' : ', and give the others users of their own'}`,
        },
      ],
    },
  ];
};

const containerRoot = ({ container, userNamespace }: IsolationReport): Finding[] => {
  if (container.inside !== true || userNamespace !== false) return [];
  return [
    {
      id: 'isolation/container-root/host',
      section: 'isolation',
      severity: 'low',
      title: "This container's root is also the machine's root: user ids are not mapped",
      evidence: [...container.evidence, '/proc/self/uid_map maps all ids onto themselves'],
      options: [
        {
          step: 'configure',
          action: 'run the container with a user namespace (docker: userns-remap; podman: rootless)',
        },
      ],
    },
  ];
};
