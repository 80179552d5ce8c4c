import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeMachine, type MachineSigns } from './machine.ts';

const nothing: MachineSigns = {
  cpuinfo: null,
  dmi: {},
  xenType: null,
  xenFeatures: null,
  xenGuest: null,
  xenCapabilities: null,
  clocksources: null,
  deviceTree: null,
  sysinfo: null,
  hyperVBus: false,
  acpiOem: null,
};
const virtual = 'processor : 0\nflags\t\t: fpu vme hypervisor lahf_lm\n';
const metal = 'processor : 0\nflags\t\t: fpu vme vmx lahf_lm\n';

const verdict = (signs: Partial<MachineSigns>) => {
  const { kind, hypervisor, type, confidence } = judgeMachine({ ...nothing, ...signs });
  return [kind, hypervisor, type, confidence];
};

test('virtual machines by DMI', () => {
  const vmware = { sys_vendor: 'VMware, Inc.', product_name: 'VMware7,1' };
  assert.deepEqual(verdict({ cpuinfo: virtual, dmi: vmware }), ['virtual machine', 'vmware', 1, 'certain']);
  const one = judgeMachine({ ...nothing, cpuinfo: virtual, dmi: vmware });
  assert.equal(one.typeConfidence, 'guess', 'ESXi and Workstation cannot be told apart');
  const box = { product_name: 'VirtualBox', sys_vendor: 'innotek GmbH' };
  assert.deepEqual(verdict({ cpuinfo: virtual, dmi: box }), ['virtual machine', 'oracle', 2, 'certain']);
  const qemu = { sys_vendor: 'QEMU', product_name: 'Standard PC (Q35 + ICH9, 2009)' };
  assert.deepEqual(verdict({ cpuinfo: virtual, dmi: qemu, clocksources: 'kvm-clock tsc' }), [
    'virtual machine',
    'kvm',
    1,
    'certain',
  ]);
  assert.deepEqual(verdict({ cpuinfo: virtual, dmi: qemu, clocksources: 'tsc hpet' }), [
    'virtual machine',
    'qemu',
    2,
    'certain',
  ]);
});

test('metal of a cloud provider is metal', () => {
  const dmi = { sys_vendor: 'Amazon EC2', product_name: 'i3.metal' };
  assert.deepEqual(verdict({ cpuinfo: metal, dmi }), ['bare metal', null, null, 'likely']);
});

test('bare metal, and Xen from its control domain', () => {
  assert.deepEqual(verdict({ cpuinfo: metal, dmi: { sys_vendor: 'Dell Inc.' } }), [
    'bare metal',
    null,
    null,
    'likely',
  ]);
  const dom0 = judgeMachine({ ...nothing, xenType: 'xen\n', xenFeatures: '00000800\n' });
  assert.deepEqual([dom0.kind, dom0.xen], ['bare metal', 'dom0']);
  const guest = judgeMachine({ ...nothing, xenType: 'xen\n', xenFeatures: '00000705\n', xenGuest: 'PVH\n' });
  assert.deepEqual([guest.kind, guest.hypervisor, guest.xen], ['virtual machine', 'xen', 'PVH']);
});

test('without DMI: clock source, and the monitor by its ACPI tables', () => {
  const one = judgeMachine({
    ...nothing,
    cpuinfo: virtual,
    clocksources: 'tsc kvm-clock\n',
    acpiOem: 'FIRECK',
  });
  assert.deepEqual([one.kind, one.hypervisor, one.monitor], ['virtual machine', 'kvm', 'firecracker']);
});

test('a virtual machine of unknown kind, and nothing known at all', () => {
  assert.deepEqual(verdict({ cpuinfo: virtual }), ['virtual machine', null, null, 'certain']);
  assert.deepEqual(verdict({ cpuinfo: 'Features : fp asimd\n' }), ['unknown', null, null, 'guess']);
});

test('without /proc/cpuinfo the name of a maker alone is no proof of metal', () => {
  assert.equal(judgeMachine({ ...nothing, dmi: { sys_vendor: 'Dell Inc.' } }).kind, 'unknown');
});
