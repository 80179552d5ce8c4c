import { readdirSync, readFileSync } from 'node:fs';
import { textOf, type HostPaths } from '../host.ts';
import { acpiMonitors, dmiPrefixes, hypervisorTypes } from './hypervisors.ts';
import type { Confidence, Machine } from './report.ts';

/** Everything that tells a virtual machine from bare metal, as read. `null`: not there, or not readable. */
export type MachineSigns = {
  cpuinfo: string | null;
  /** Value by file name of /sys/class/dmi/id. */
  dmi: Record<string, string>;
  xenType: string | null;
  xenFeatures: string | null;
  xenGuest: string | null;
  xenCapabilities: string | null;
  clocksources: string | null;
  deviceTree: string | null;
  sysinfo: string | null;
  hyperVBus: boolean;
  acpiOem: string | null;
};

const dmiFiles = ['product_name', 'sys_vendor', 'board_vendor', 'bios_vendor', 'product_version'] as const;

export const readMachineSigns = ({ proc, sys }: HostPaths): MachineSigns => ({
  cpuinfo: textOf(`${proc}/cpuinfo`),
  dmi: Object.fromEntries(
    dmiFiles.flatMap((file) => {
      const text = textOf(`${sys}/class/dmi/id/${file}`);
      return text === null ? [] : [[file, text.trim()]];
    }),
  ),
  xenType: textOf(`${sys}/hypervisor/type`),
  xenFeatures: textOf(`${sys}/hypervisor/properties/features`),
  xenGuest: textOf(`${sys}/hypervisor/guest_type`),
  xenCapabilities: textOf(`${proc}/xen/capabilities`),
  clocksources: textOf(`${sys}/devices/system/clocksource/clocksource0/available_clocksource`),
  deviceTree: textOf(`${proc}/device-tree/hypervisor/compatible`),
  sysinfo: textOf(`${proc}/sysinfo`),
  hyperVBus: hasEntries(`${sys}/bus/vmbus/devices`),
  acpiOem: acpiOem(`${sys}/firmware/acpi/tables/FACP`),
});

const hasEntries = (directory: string): boolean => {
  try {
    return readdirSync(directory).length > 0;
  } catch {
    return false;
  }
};

/** OEMID of an ACPI table: bytes 10 to 15 of its header (ACPI 6.5, 5.2.6). Readable by root only. */
const acpiOem = (path: string): string | null => {
  try {
    return readFileSync(path)
      .toString('latin1', 10, 16)
      .replace(/[\0 ]+$/, '');
  } catch {
    return null;
  }
};

/**
 * Bare metal or a virtual machine. The order is systemd's (src/basic/virt.c `detect_vm`) as far as files tell: CPUID
 * itself cannot be read from here, so the kernel's own conclusions stand in for it: the `hypervisor` CPU flag, and the
 * clock that the kernel takes from the hypervisor.
 */
export const judgeMachine = (signs: MachineSigns): Machine => {
  const flag = hypervisorFlag(signs.cpuinfo);
  const monitor = signs.acpiOem === null ? null : (acpiMonitors[signs.acpiOem.toUpperCase()] ?? null);
  const because = (...evidence: (string | null)[]): string[] =>
    [
      ...evidence,
      flag === null ? null : `/proc/cpuinfo ${flag ? 'has' : 'does not have'} the flag "hypervisor"`,
      monitor === null ? null : `ACPI tables were written by ${monitor} (OEM id ${signs.acpiOem})`,
    ].filter((one) => one !== null);
  const guest = (hypervisor: string | null, confidence: Confidence, evidence: string[]): Machine => ({
    kind: 'virtual machine',
    hypervisor,
    monitor,
    type: hypervisor === null ? null : (hypervisorTypes[hypervisor]?.type ?? null),
    typeConfidence: hypervisor === null ? null : (hypervisorTypes[hypervisor]?.confidence ?? null),
    confidence,
    xen: hypervisor === 'xen' ? (signs.xenGuest?.trim() ?? null) : null,
    evidence,
  });
  if (/^vendor_id\s*: User Mode Linux/m.test(signs.cpuinfo ?? '')) {
    return guest('uml', 'certain', because('/proc/cpuinfo: User Mode Linux'));
  }
  if (isDom0(signs)) return metal('certain', because('this is domain 0 of Xen'), 'dom0');

  const dmi = fromDmi(signs.dmi);
  const clock = fromClock(signs.clocksources);
  const dmiSays = dmi === null ? null : `${dmi.file}: ${dmi.value}`;
  if (dmi !== null && flag !== false && !signs.dmi['product_name']?.endsWith('.metal')) {
    // QEMU's strings stay when KVM speeds it up, and then KVM is the hypervisor.
    const name = dmi.hypervisor === 'qemu' && clock !== null ? clock : dmi.hypervisor;
    return guest(name, flag === true ? 'certain' : 'likely', because(dmiSays));
  }
  if (signs.xenType?.trim() === 'xen') return guest('xen', 'certain', because('/sys/hypervisor/type: xen'));
  if (signs.hyperVBus) return guest('microsoft', 'certain', because('/sys/bus/vmbus has devices'));
  if (clock !== null) {
    return guest(clock, 'certain', because(`clock sources: ${signs.clocksources?.trim() ?? ''}`));
  }
  const tree = fromDeviceTree(signs.deviceTree);
  if (tree !== null) return guest(tree, 'certain', because('/proc/device-tree/hypervisor'));
  const control = /^VM00 Control Program:\s*(\S+)/m.exec(signs.sysinfo ?? '')?.[1];
  if (control !== undefined) {
    return guest(control === 'z/VM' ? 'zvm' : 'kvm', 'certain', because(`/proc/sysinfo: ${control}`));
  }
  if (flag === true || monitor !== null)
    return guest(null, flag === true ? 'certain' : 'likely', because(dmiSays));
  if (flag === false) return metal('likely', because(dmiSays), null);
  if (signs.cpuinfo === null) return metal('guess', because('/proc/cpuinfo cannot be read'), null);
  if (Object.keys(signs.dmi).length > 0) {
    return metal('likely', because(`DMI names real hardware: ${Object.values(signs.dmi)[0] ?? ''}`), null);
  }
  return metal('guess', because('nothing points to a hypervisor, and nothing rules one out'), null);
};

const metal = (confidence: Confidence, evidence: string[], xen: string | null): Machine => ({
  kind: confidence === 'guess' ? 'unknown' : 'bare metal',
  hypervisor: null,
  monitor: null,
  type: null,
  typeConfidence: null,
  confidence,
  xen,
  evidence,
});

/** x86 alone has this flag; a hypervisor may hide it. `null`: this processor has no such flag. */
const hypervisorFlag = (cpuinfo: string | null): boolean | null => {
  const flags = /^flags\s*:(.*)$/m.exec(cpuinfo ?? '')?.[1];
  return flags === undefined ? null : / hypervisor(?: |$)/.test(flags);
};

/** Domain 0: XENFEAT_dom0 is bit 11 of the features; older kernels have `control_d`. */
const isDom0 = ({ xenFeatures, xenCapabilities }: MachineSigns): boolean =>
  xenFeatures === null
    ? (xenCapabilities ?? '').includes('control_d')
    : (Number.parseInt(xenFeatures, 16) & (1 << 11)) !== 0;

const fromDmi = (dmi: Record<string, string>): { hypervisor: string; file: string; value: string } | null => {
  for (const file of dmiFiles) {
    const value = dmi[file];
    const match = value === undefined ? undefined : dmiPrefixes.find(([prefix]) => value.startsWith(prefix));
    if (value !== undefined && match !== undefined) return { hypervisor: match[1], file, value };
  }
  return null;
};

const fromClock = (clocksources: string | null): string | null => {
  const names = (clocksources ?? '').split(/\s+/);
  if (names.includes('kvm-clock')) return 'kvm';
  if (names.some((name) => name.startsWith('hyperv_clocksource'))) return 'microsoft';
  return names.includes('xen') ? 'xen' : null;
};

const fromDeviceTree = (compatible: string | null): string | null => {
  if (compatible === null) return null;
  if (compatible.includes('linux,kvm')) return 'kvm';
  if (compatible.includes('xen')) return 'xen';
  return compatible.includes('vmware') ? 'vmware' : null;
};
