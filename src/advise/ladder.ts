import type { Option } from '#wire/audit';
import type { Listener } from '#inspect';
import type { KnownService } from './known-service.ts';

/**
 * The ladder for one listener, best step first: do not install, do not run, local only, firewalled. A step is left out
 * where it makes no sense, such as removing an interpreter or unbinding what strangers are meant to reach.
 */
export const ladderOf = (listener: Listener, known: KnownService | null): Option[] => [
  ...investigate(listener),
  ...doNotInstall(listener, known),
  ...doNotRun(listener, known),
  ...localOnly(listener, known),
  ...firewalled(listener, known),
];

const investigate = (listener: Listener): Option[] => {
  if (listener.holder !== 'unseen') return [];
  const action = `find out what it is, as root: ss -H -l -n -p -e '${listener.port === null ? '' : `sport = :${listener.port}`}' (inode ${listener.inodes.join(', ')})`;
  return [{ step: 'investigate', action }];
};

const doNotInstall = (listener: Listener, known: KnownService | null): Option[] => {
  if (known?.meantForStrangers || listener.holder !== 'process') return [];
  const packages = new Set(
    listener.processes.flatMap((process) => (process.script === null ? (process.package ?? []) : [])),
  );
  if (packages.size !== 1) return [];
  const [name = ''] = packages;
  return [
    {
      step: 'do not install',
      action: `if nobody needs it: apt-get remove ${name} (see first what else goes: apt-get -s remove ${name})`,
    },
  ];
};

const doNotRun = (listener: Listener, known: KnownService | null): Option[] => {
  if (known?.meantForStrangers || listener.holder === 'unseen') return [];
  if (listener.holder === 'systemd') {
    if (listener.socketUnit === null) return [];
    return [{ step: 'do not run', action: `systemctl disable --now ${listener.socketUnit}` }];
  }
  if (listener.holder === 'kernel') {
    const unit = known?.units?.[0];
    return unit === undefined ? [] : [{ step: 'do not run', action: `systemctl disable --now ${unit}` }];
  }
  const units = new Set(listener.processes.map(({ unit }) => unit));
  const [unit] = units;
  if (units.size === 1 && unit !== null && unit !== undefined && unit.endsWith('.service')) {
    return [{ step: 'do not run', action: `systemctl disable --now ${unit}` }];
  }
  const pids = listener.processes.slice(0, 3).map(({ pid }) => pid);
  return [{ step: 'do not run', action: `stop process ${pids.join(', ')}, and whatever starts it` }];
};

const localOnly = (listener: Listener, known: KnownService | null): Option[] => {
  if (listener.holder === 'unseen') return [];
  const port = listener.port ?? 0;
  if (listener.holder === 'systemd') {
    if (listener.socketUnit === null || known?.meantForStrangers) return [];
    const key = listener.protocol === 'udp' ? 'ListenDatagram' : 'ListenStream';
    const action = `systemctl edit ${listener.socketUnit}: under [Socket] write ${key}= and then ${key}=127.0.0.1:${port}; then systemctl restart ${listener.socketUnit}`;
    return [{ step: 'local only', action }];
  }
  if (listener.holder === 'forwarder') return [localForwarder(listener, port)];
  const knob = known?.localOnly ?? null;
  if (knob !== null) {
    const parts = [
      `in ${knob.file}: ${knob.directive}`,
      ...(knob.test === null ? [] : [`check: ${knob.test}`]),
      `then ${knob.apply}`,
      ...(knob.caution === undefined ? [] : [knob.caution]),
    ];
    return [{ step: 'local only', action: parts.join('; ') }];
  }
  if (known !== null || listener.holder === 'kernel') return [];
  return [
    {
      step: 'local only',
      action: 'set its listening address to 127.0.0.1 in its own configuration, and restart it',
    },
  ];
};

const localForwarder = (listener: Listener, port: number): Option => {
  const docker = listener.processes.some(({ exe }) => exe?.endsWith('/docker-proxy') === true);
  return {
    step: 'local only',
    action: docker
      ? `publish the container's port as 127.0.0.1:${port}:<container port> instead of ${port}:<container port>`
      : 'bind the forwarding to 127.0.0.1 (for ssh: GatewayPorts no)',
  };
};

const firewalled = (listener: Listener, known: KnownService | null): Option[] => {
  const { protocol, port } = listener;
  if ((protocol !== 'tcp' && protocol !== 'udp') || port === null || known?.exposed === 'info') return [];
  const docker = listener.processes.some(({ exe }) => exe?.endsWith('/docker-proxy') === true);
  if (docker) {
    const action = `allow only who needs it in the chain DOCKER-USER; ufw and the INPUT chain do not see published ports`;
    return [{ step: 'firewalled', action }];
  }
  const keys =
    known?.name === 'OpenSSH'
      ? '; and allow keys only: PasswordAuthentication no in /etc/ssh/sshd_config.d/'
      : '';
  const match = `nft add rule inet filter input ${protocol} dport ${port}`;
  return [
    {
      step: 'firewalled',
      action: `allow only the network that needs it: ${match} ip saddr <network> accept; ${match} iifname != lo drop${keys}`,
    },
  ];
};
