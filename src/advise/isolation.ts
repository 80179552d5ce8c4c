import type { Finding } from '#wire/audit';
import type { IsolationReport, SharedService } from '#inspect';
import { baseName } from './recognise.ts';

/** What falls when one service falls: services that face the network as root, and what shares the system with them. */
export const findIsolation = (report: IsolationReport): Finding[] => [
  ...unconfinedRoot(report),
  ...sharedInstance(report),
  ...rootServices(report),
  ...containerRoot(report),
];

const facesNetwork = ({ listens }: SharedService): boolean =>
  listens.some(({ scope }) => scope === 'public' || scope === 'network');

const display = ({ name }: SharedService): string => baseName(name);

const places = ({ listens }: SharedService): string =>
  listens
    .filter(({ scope }) => scope === 'public' || scope === 'network')
    .slice(0, 4)
    .map(
      ({ protocol, address, port }) =>
        `${protocol} ${address.includes(':') ? `[${address}]` : address}:${port ?? '*'}`,
    )
    .join(', ');

/** sshd has to be root to become its users, and drops privileges per connection by itself. */
const hasToBeRoot = (service: SharedService): boolean =>
  /(?:^|\/)sshd?(?:\.service|@.*)?$/.test(service.name);

const unconfinedRoot = ({ services }: IsolationReport): Finding[] =>
  services
    .filter((one) => one.root && facesNetwork(one) && !hasToBeRoot(one))
    .filter((one) => one.seccomp === 'off' && one.capabilities.includes('CAP_SYS_ADMIN'))
    .map((one) => ({
      id: `isolation/unconfined-root/${one.name}`,
      section: 'isolation',
      severity: one.listens.some(({ scope }) => scope === 'public') ? 'medium' : 'low',
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
            one.unit === null
              ? 'run it as a user of its own, from a systemd unit with NoNewPrivileges=yes and ProtectSystem=strict'
              : `systemctl edit ${one.unit}: User=<its own>, NoNewPrivileges=yes, ProtectSystem=strict, SystemCallFilter=@system-service, CapabilityBoundingSet=<what it needs>; compare: systemd-analyze security ${one.unit}`,
        },
      ],
    }));

const sharedInstance = ({ services }: IsolationReport): Finding[] => {
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
            'move services that do not need each other to virtual machines of their own, or sandbox their units',
        },
      ],
    },
  ];
};

const rootServices = ({ services }: IsolationReport): Finding[] => {
  const root = services.filter((one) => one.root);
  if (root.length === 0) return [];
  return [
    {
      id: 'isolation/root-services/host',
      section: 'isolation',
      severity: 'info',
      title: `${root.length} of ${services.length} services ${root.length === 1 ? 'runs' : 'run'} as root`,
      evidence: root
        .slice(0, 20)
        .map(
          (one) =>
            `${display(one)}${one.noNewPrivileges ? ', no new privileges' : ''}${one.seccomp === 'off' ? '' : ', seccomp filter'}`,
        ),
      options: [{ step: 'configure', action: 'see which need it: systemd-analyze security' }],
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
