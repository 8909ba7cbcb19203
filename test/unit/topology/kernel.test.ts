import { describe, expect, test } from 'vitest';
import { nameHypervisor } from '../../../src/topology/hypervisor.ts';
import { parseCgroupVersion, parseChosen, parseUname, parseVersion, readKernel } from '../../../src/topology/kernel.ts';
import { parseKernelConfig } from '../../../src/topology/kernel-config.ts';
import { FakeHost } from '../../fake-host.ts';

const DEBIAN_RT = {
  '/proc/sys/kernel/osrelease': '6.1.0-18-rt-amd64\n',
  '/proc/version':
    'Linux version 6.1.0-18-rt-amd64 (debian-kernel@lists.debian.org) #1 SMP PREEMPT_RT Debian 6.1.76-1\n',
  '/proc/cmdline': 'BOOT_IMAGE=/boot/vmlinuz ro isolcpus=managed_irq,domain,2-3\n',
  '/sys/kernel/realtime': '1\n',
  '/sys/devices/system/cpu/isolated': '2-3\n',
  '/sys/devices/system/cpu/nohz_full': '2-3\n',
  '/sys/kernel/security/lockdown': '[none] integrity confidentiality\n',
  '/sys/devices/system/clocksource/clocksource0/current_clocksource': 'tsc\n',
  '/sys/fs/cgroup/cgroup.controllers': 'cpuset cpu io memory pids\n',
  '/proc/sys/kernel/random/boot_id': '11111111-2222-3333-4444-555555555555\n',
  '/boot/config-6.1.0-18-rt-amd64':
    '# comment\nCONFIG_PREEMPT_RT=y\nCONFIG_HZ=250\nCONFIG_CC_VERSION_TEXT="gcc 12"\n# CONFIG_X is not set\n',
};

describe('readKernel', () => {
  test('a tuned PREEMPT_RT kernel', async () => {
    const { config, ...kernel } = await readKernel(new FakeHost(DEBIAN_RT), 'flags\t\t: fpu lm\n');
    expect(kernel).toEqual({
      release: '6.1.0-18-rt-amd64',
      version: [6, 1],
      realtime: true,
      architecture: 'x86_64',
      cmdline: 'BOOT_IMAGE=/boot/vmlinuz ro isolcpus=managed_irq,domain,2-3',
      isolated: [2, 3],
      nohzFull: [2, 3],
      lockdown: 'none',
      clocksource: 'tsc',
      cgroupVersion: 2,
      hypervisor: undefined,
      bootId: '11111111-2222-3333-4444-555555555555',
    });
    expect(config?.toJSON()).toEqual({ PREEMPT_RT: 'y', HZ: '250', CC_VERSION_TEXT: 'gcc 12' });
  });

  test('nothing readable: unknown, never a guess', async () => {
    expect(await readKernel(new FakeHost(), '')).toMatchObject({
      release: 'unknown',
      version: [0, 0],
      realtime: false,
      architecture: 'unknown',
      cmdline: '',
      isolated: [],
      config: undefined,
      cgroupVersion: undefined,
      bootId: undefined,
    });
  });

  test.each([
    ['an empty set', '\n', []],
    ['a set that was never allocated', '(null)\n', []],
    ['the NUL of 3.10', '\0', []],
  ])('nohz_full with %s', async (_, text, cpus) => {
    const host = new FakeHost({ '/sys/devices/system/cpu/nohz_full': text });
    expect((await readKernel(host, '')).nohzFull).toEqual(cpus);
  });

  test.each([
    ['6.12 with PREEMPT_RT in the banner only', '/proc/version', 'Linux version 6.12.1 #1 SMP PREEMPT_RT x', true],
    ['before 5.16', '/proc/version', 'Linux version 5.10.0 #1 SMP PREEMPT RT x', true],
    ['PREEMPT_DYNAMIC', '/proc/version', 'Linux version 6.1.0 #1 SMP PREEMPT_DYNAMIC x', false],
    ['a file that says no', '/sys/kernel/realtime', '0', false],
  ])('realtime: %s', async (_, path, text, realtime) => {
    expect((await readKernel(new FakeHost({ [path]: text }), '')).realtime).toBe(realtime);
  });

  test('a file that needs root is not known', async () => {
    const host = new FakeHost(DEBIAN_RT);
    host.unreadable.set('/boot/config-6.1.0-18-rt-amd64', 'EACCES');
    host.unreadable.set('/sys/kernel/security/lockdown', 'EACCES');
    expect(await readKernel(host, '')).toMatchObject({ config: undefined, lockdown: undefined });
  });
});

test.each([
  ['6.1.0-18-amd64', [6, 1]],
  ['6.18.44', [6, 18]],
  ['5.14.0-362.el9.x86_64', [5, 14]],
  ['', [0, 0]],
])('parseVersion(%j)', (release, version) => {
  expect(parseVersion(release)).toEqual(version);
});

test('parseChosen takes the word in brackets', () => {
  expect(parseChosen('none [integrity] confidentiality')).toBe('integrity');
  expect(parseChosen('integrity')).toBeUndefined();
});

test('parseUname reads what hwloc-gather-topology kept', () => {
  expect(parseUname('OSName: Linux\nOSRelease: 6.1.0-13-amd64\nArchitecture: x86_64\n')).toEqual({
    release: '6.1.0-13-amd64',
    architecture: 'x86_64',
  });
  expect(parseUname('')).toEqual({});
});

test.each([
  ['unified', 'cgroup2 /sys/fs/cgroup cgroup2 rw 0 0', 2],
  ['hybrid', 'cgroup /sys/fs/cgroup/cpu cgroup rw 0 0\ncgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0', 1],
  ['none', 'proc /proc proc rw 0 0', undefined],
  ['nothing', '', undefined],
])('parseCgroupVersion: %s', (_, mounts, version) => {
  expect(parseCgroupVersion(mounts)).toBe(version);
});

test('parseKernelConfig leaves out what is not set', () => {
  const config = parseKernelConfig('CONFIG_A=m\n# CONFIG_B is not set\nCONFIG_C=""\nrubbish\nCONFIG_AB="y z"');
  expect(JSON.parse(JSON.stringify(config))).toEqual({ A: 'm', C: '', AB: 'y z' });
  expect(['A', 'B', 'C', 'AB', 'rubbish'].map((option) => config.get(option))).toEqual([
    'm',
    undefined,
    '',
    'y z',
    undefined,
  ]);
});

describe('hypervisor', () => {
  test.each([
    ['QEMU Standard PC (Q35 + ICH9, 2009)', 'kvm'],
    ['VMware, Inc. VMware Virtual Platform', 'vmware'],
    ['innotek GmbH VirtualBox', 'oracle'],
    ['Microsoft Corporation Virtual Machine', 'microsoft'],
    ['Amazon EC2 c7i.metal-24xl', 'amazon'],
    ['Dell Inc. PowerEdge R760', undefined],
  ])('%s', (firmware, name) => {
    expect(nameHypervisor(firmware)).toBe(name);
  });

  test.each([
    ['bare metal of a cloud', 'flags : fpu lm', 'Amazon EC2', undefined],
    ['a virtual machine of it', 'flags : fpu lm hypervisor', 'Amazon EC2', 'amazon'],
    ['a virtual machine without DMI', 'flags : fpu hypervisor', '', 'unknown'],
  ])('%s', async (_, cpuinfo, vendor, hypervisor) => {
    const host = new FakeHost({ '/sys/class/dmi/id/sys_vendor': vendor });
    expect((await readKernel(host, cpuinfo)).hypervisor).toBe(hypervisor);
  });
});
