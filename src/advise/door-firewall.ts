import type { Turn } from './knobs/knob.ts';

/** Doors that only some may reach: protocol and port, and the networks that are let in. */
export type Narrowing = {
  /** Name of the unit without its suffix; part of the table's name. */
  name: string;
  doors: readonly { protocol: 'tcp' | 'udp'; port: number }[];
  /** Addresses and networks in CIDR notation, of both families. */
  allow: readonly string[];
};

const directory = '/etc/holdfast';

const setOf = (values: readonly (string | number)[]): string => `{ ${[...new Set(values)].join(', ')} }`;

const portsOf = ({ doors }: Narrowing, wanted: string): number[] =>
  doors.flatMap(({ protocol, port }) => (protocol === wanted ? [port] : []));

const tableOf = ({ name }: Narrowing): string => `holdfast_${name.replaceAll(/\W/g, '_')}`;

/** A table of nftables of its own: it refuses, and what others let in it does not let in again. */
const ruleset = (narrowing: Narrowing): string => {
  const table = `inet ${tableOf(narrowing)}`;
  const rules = ['tcp', 'udp'].flatMap((protocol) => {
    const ports = portsOf(narrowing, protocol);
    if (ports.length === 0) return [];
    const dport = `${protocol} dport ${setOf(ports)}`;
    const four = narrowing.allow.filter((network) => !network.includes(':'));
    const six = narrowing.allow.filter((network) => network.includes(':'));
    return [
      ...(four.length === 0 ? [] : [`ip saddr ${setOf(four)} ${dport} accept`]),
      ...(six.length === 0 ? [] : [`ip6 saddr ${setOf(six)} ${dport} accept`]),
      `${dport} reject`,
    ];
  });
  return [
    '# Written by Holdfast. To undo: holdfast services undo',
    `table ${table}`,
    `delete table ${table}`,
    `table ${table} {`,
    '  chain input {',
    '    type filter hook input priority -10; policy accept;',
    '    iifname "lo" accept',
    '    ct state established,related accept',
    ...rules.map((rule) => `    ${rule}`),
    '  }',
    '}',
    '',
  ].join('\n');
};

/** PartOf, WantedBy: nftables.service forgets all rules when it stops. */
const unitText = (
  narrowing: Narrowing,
  file: string,
): string => `# Written by Holdfast. To undo: holdfast services undo
[Unit]
Description=Who may reach ${narrowing.name}
DefaultDependencies=no
Wants=network-pre.target
Before=network-pre.target shutdown.target
Conflicts=shutdown.target
After=nftables.service
PartOf=nftables.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/nft -f ${file}
ExecStop=/usr/sbin/nft delete table inet ${tableOf(narrowing)}

[Install]
WantedBy=multi-user.target nftables.service
`;

/** Whatever makes nftables.service flush all rules brings these back in the same job. */
const flushedText = (file: string): string => `# Written by Holdfast. To undo: holdfast services undo
[Service]
ExecStartPost=-/usr/sbin/nft -f ${file}
ExecReload=-/usr/sbin/nft -f ${file}
`;

/** Rules that let in these networks alone, loaded now and at every boot. */
export const narrowed = (narrowing: Narrowing): Turn => {
  const file = `${directory}/door-${narrowing.name}.nft`;
  const unit = `holdfast-door-${narrowing.name}.service`;
  return {
    edits: [
      { path: file, text: ruleset(narrowing) },
      { path: `/etc/systemd/system/${unit}`, text: unitText(narrowing, file) },
      {
        path: `/etc/systemd/system/nftables.service.d/holdfast-door-${narrowing.name}.conf`,
        text: flushedText(file),
      },
    ],
    checks: [{ kind: 'command', argv: ['nft', '--check', '-f', file], network: 'own' }],
    effective: null,
    apply: [
      ['systemctl', 'daemon-reload'],
      ['systemctl', 'enable', '--quiet', '--now', unit],
    ],
    release: [
      ['systemctl', 'disable', '--quiet', '--now', unit],
      // Also where the unit does not know of the table any more. The first statement makes one to delete.
      ['nft', `table inet ${tableOf(narrowing)}; delete table inet ${tableOf(narrowing)}`],
    ],
    revert: [['systemctl', 'daemon-reload']],
    cautions: [
      'connections that are open stay open',
      'ports that DNAT passes on to containers are not narrowed by it',
    ],
  };
};
