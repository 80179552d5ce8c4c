import type { Confidence } from './report.ts';

type Kind = { type: 1 | 2; confidence: Confidence; why: string };

/**
 * Type 1 (on the metal) or type 2 (on top of another system), by the name that systemd-detect-virt uses. No interface
 * tells it, hence a confidence. KVM counts as type 1: it is part of the kernel that is on the metal.
 */
export const hypervisorTypes: Readonly<Record<string, Kind>> = {
  kvm: { type: 1, confidence: 'likely', why: 'KVM is part of the kernel on the metal, unless it is nested' },
  amazon: { type: 1, confidence: 'certain', why: 'Nitro' },
  google: { type: 1, confidence: 'certain', why: 'KVM on the metal' },
  microsoft: { type: 1, confidence: 'certain', why: 'Hyper-V runs below Windows, also on a desktop' },
  xen: { type: 1, confidence: 'certain', why: 'Xen boots first' },
  vmware: {
    type: 1,
    confidence: 'guess',
    why: 'ESXi (1) and Workstation or Fusion (2) look the same from inside',
  },
  acrn: { type: 1, confidence: 'certain', why: 'ACRN runs on the metal' },
  qnx: { type: 1, confidence: 'likely', why: 'the QNX hypervisor runs on the metal' },
  zvm: { type: 1, confidence: 'certain', why: 'z/VM runs on the metal or in an LPAR' },
  powervm: { type: 1, confidence: 'certain', why: 'PowerVM is firmware' },
  qemu: { type: 2, confidence: 'likely', why: 'QEMU without KVM emulates, as a program' },
  bochs: { type: 2, confidence: 'certain', why: 'Bochs emulates, as a program' },
  oracle: { type: 2, confidence: 'certain', why: 'VirtualBox is a program' },
  parallels: { type: 2, confidence: 'likely', why: 'Parallels is a program on macOS' },
  apple: { type: 2, confidence: 'likely', why: 'Virtualization.framework serves programs on macOS' },
  bhyve: { type: 2, confidence: 'likely', why: 'bhyve is a program on FreeBSD' },
  uml: { type: 2, confidence: 'certain', why: 'User-mode Linux is a program' },
};

/** DMI strings of virtual machines, by prefix, in systemd's order (src/basic/virt.c `detect_vm_dmi_vendor`). */
export const dmiPrefixes: readonly (readonly [prefix: string, hypervisor: string])[] = [
  ['KVM', 'kvm'],
  ['OpenStack', 'kvm'],
  ['KubeVirt', 'kvm'],
  ['Amazon EC2', 'amazon'],
  ['QEMU', 'qemu'],
  ['VMware', 'vmware'],
  ['VMW', 'vmware'],
  ['innotek GmbH', 'oracle'],
  ['VirtualBox', 'oracle'],
  ['Xen', 'xen'],
  ['Bochs', 'bochs'],
  ['Parallels', 'parallels'],
  ['BHYVE', 'bhyve'],
  ['Hyper-V', 'microsoft'],
  ['Virtual Machine', 'microsoft'],
  ['Apple Virtualization', 'apple'],
  ['Google Compute Engine', 'google'],
];

/** OEM ids (six characters) of ACPI tables that monitors of virtual machines write. */
export const acpiMonitors: Readonly<Record<string, string>> = {
  FIRECK: 'firecracker',
  CLOUDH: 'cloud-hypervisor',
  BOCHS: 'qemu',
  VBOX: 'virtualbox',
  BHYVE: 'bhyve',
};
