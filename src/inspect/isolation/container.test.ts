import assert from 'node:assert/strict';
import { test } from 'node:test';
import { capabilityNames } from './capabilities.ts';
import { judgeContainer, type ContainerSigns } from './container.ts';

const first = {
  ipc: 'ipc:[4026531839]',
  uts: 'uts:[4026531838]',
  user: 'user:[4026531837]',
  pid: 'pid:[4026531836]',
  cgroup: 'cgroup:[4026531835]',
};
const host: ContainerSigns = {
  openVz: false,
  osrelease: '6.1.0-30-amd64\n',
  manager: null,
  systemd: null,
  environment: null,
  podmanFile: false,
  dockerFile: false,
  cgroup: '0::/user.slice\n',
  namespaces: first,
};

const verdict = (signs: Partial<ContainerSigns>) => {
  const { inside, kind, confidence } = judgeContainer({ ...host, ...signs });
  return [inside, kind, confidence];
};

test('a host', () => {
  assert.deepEqual(verdict({}), [false, null, 'certain']);
  assert.deepEqual(verdict({ environment: undefined }), [false, null, 'likely']);
});

test('containers by what their managers leave', () => {
  const own = { ...first, pid: 'pid:[4026532500]', uts: 'uts:[4026532501]' };
  assert.deepEqual(verdict({ dockerFile: true, namespaces: own }), [true, 'docker', 'certain']);
  assert.deepEqual(verdict({ podmanFile: true, namespaces: own }), [true, 'podman', 'certain']);
  assert.deepEqual(verdict({ manager: 'systemd-nspawn', namespaces: own }), [
    true,
    'systemd-nspawn',
    'certain',
  ]);
  assert.deepEqual(verdict({ environment: 'lxc', namespaces: own }), [true, 'lxc', 'certain']);
  assert.deepEqual(verdict({ osrelease: '5.15.90.1-microsoft-standard-WSL2' }), [true, 'wsl', 'certain']);
  assert.deepEqual(verdict({ namespaces: own }), [true, 'other', 'likely']);
});

test('an image that was unpacked onto a machine is not a container', () => {
  assert.deepEqual(verdict({ dockerFile: true }), [false, null, 'likely']);
  assert.match(judgeContainer({ ...host, dockerFile: true }).evidence[0] ?? '', /dockerenv exists, but/);
});

test('without namespaces to check it against, a marker file settles nothing', () => {
  assert.deepEqual(verdict({ dockerFile: true, namespaces: {} }), [null, null, 'guess']);
  assert.deepEqual(verdict({ namespaces: {} }), [null, null, 'guess']);
  assert.deepEqual(verdict({ manager: 'lxc', namespaces: {} }), [true, 'lxc', 'certain']);
});

test('capabilities by name', () => {
  assert.deepEqual(capabilityNames('0000000000000400'), ['CAP_NET_BIND_SERVICE']);
  assert.equal(capabilityNames('000001ffffffffff').length, 41);
  assert.deepEqual(capabilityNames('0000000000000000'), []);
});
