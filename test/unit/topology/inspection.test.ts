import { describe, expect, test } from 'vitest';
import {
  parseCoalescing,
  parseDriverInfo,
  parseFeatures,
  parseLimited,
  parseTimestamping,
} from '../../../src/topology/ethtool-text.ts';
import { nameProcessor, readInspection } from '../../../src/topology/inspection.ts';
import { FakeHost } from '../../fake-host.ts';
import { buildMachine } from '../../machine-builder.ts';

const RINGS = [
  'Ring parameters for ens1f0:',
  'Pre-set maximums:',
  'RX:\t\t4096',
  'RX Mini:\tn/a',
  'TX:\t\t4096',
  'Current hardware settings:',
  'RX:\t\t256',
  'RX Mini:\tn/a',
  'TX:\t\t512\n',
].join('\n');

describe('what ethtool prints', () => {
  test('rings and channels', () => {
    expect(parseLimited(RINGS)).toEqual({ rx: { current: 256, maximum: 4096 }, tx: { current: 512, maximum: 4096 } });
    expect(
      parseLimited('Pre-set maximums:\nRX:\t0\nCombined:\t8\nCurrent hardware settings:\nRX:\t0\nCombined:\t4\n'),
    ).toEqual({
      combined: { current: 4, maximum: 8 },
    });
  });

  test('coalescing', () => {
    const text =
      'Coalesce parameters for ens1f0:\nAdaptive RX: off  TX: n/a\nstats-block-usecs:\tn/a\nrx-usecs:\t3\ncqe-mode-rx:  n/a\n';
    expect(parseCoalescing(text)).toEqual({ 'rx-usecs': 3, 'adaptive-rx': 'off' });
  });

  test('offloads', () => {
    const text =
      'Features for ens1f0:\nrx-checksumming: on\ntcp-segmentation-offload: off\n\ttx-tcp-segmentation: off [requested on]\nlarge-receive-offload: off [fixed]\n';
    expect(parseFeatures(text)).toEqual({
      'rx-checksumming': { on: true, fixed: false },
      'tcp-segmentation-offload': { on: false, fixed: false },
      'tx-tcp-segmentation': { on: false, fixed: false },
      'large-receive-offload': { on: false, fixed: true },
    });
  });

  test('timestamping', () => {
    const text = [
      'Time stamping parameters for ens1f0:',
      'Capabilities:',
      '\thardware-transmit',
      '\tsoftware-receive     (SOF_TIMESTAMPING_RX_SOFTWARE)',
      'PTP Hardware Clock: 2',
      'Hardware Transmit Timestamp Modes:',
      '\toff',
      'Hardware Receive Filter Modes:',
      '\tnone',
      '\tall\n',
    ].join('\n');
    expect(parseTimestamping(text)).toEqual({
      capabilities: ['hardware-transmit', 'software-receive'],
      receiveFilters: ['none', 'all'],
      clock: 2,
    });
    expect(parseTimestamping('PTP Hardware Clock: none\n').clock).toBeUndefined();
  });

  test('driver and firmware', () => {
    expect(
      parseDriverInfo('driver: igb\nversion: 6.1.0\nfirmware-version: 1.63, 0x800009fa\nbus-info: 0000:01:00.0\n'),
    ).toEqual({
      version: '6.1.0',
      firmware: '1.63, 0x800009fa',
    });
    expect(parseDriverInfo('firmware-version: \n')).toEqual({});
  });

  test.each([parseDriverInfo, parseLimited, parseCoalescing, parseFeatures])('nothing from nothing: %o', (parse) => {
    expect(parse('')).toEqual({});
    expect(parse('netlink error: Operation not supported\n')).toEqual({});
  });
});

describe('readInspection', () => {
  const CPU = '/sys/devices/system/cpu';
  const machine = buildMachine({
    packages: 1,
    coresPerPackage: 2,
    nics: [{ name: 'ens1f0' }, { name: 'bond0', physical: false }],
  });

  test('frequency, idle states, IOMMU, vulnerabilities, firmware, NICs', async () => {
    const files: Record<string, string> = {
      '/sys/class/dmi/id/sys_vendor': 'Dell Inc.\n',
      '/sys/class/dmi/id/bios_version': '2.1\n',
      '/proc/cpuinfo': 'processor\t: 0\nmodel name\t: Xeon\nmicrocode\t: 0x1\n',
      '/sys/class/iommu/dmar0/x': '',
      '/sys/kernel/iommu_groups/0/type': '',
      '/sys/kernel/iommu_groups/1/type': '',
      [`${CPU}/intel_pstate/no_turbo`]: '1',
      [`${CPU}/intel_pstate/status`]: 'active',
      [`${CPU}/cpuidle/current_driver`]: 'intel_idle',
      [`${CPU}/vulnerabilities/meltdown`]: 'Mitigation: PTI\n',
      '/sys/devices/system/clocksource/clocksource0/available_clocksource': 'tsc hpet acpi_pm \n',
    };
    for (const cpu of [0, 1]) {
      files[`${CPU}/cpufreq/policy${cpu}/affected_cpus`] = `${cpu}\n`;
      files[`${CPU}/cpufreq/policy${cpu}/scaling_governor`] = 'performance\n';
      files[`${CPU}/cpufreq/policy${cpu}/scaling_max_freq`] = '3000000\n';
      files[`${CPU}/cpu${cpu}/cpuidle/state2/disable`] = `${cpu}\n`;
    }
    files[`${CPU}/cpu0/cpuidle/state2/name`] = 'C6\n';
    files[`${CPU}/cpu0/cpuidle/state2/latency`] = '133\n';
    const inspection = await readInspection(new FakeHost(files, { 'ethtool -g ens1f0': RINGS }), machine);
    expect(inspection).toMatchObject({
      firmware: { vendor: 'Dell Inc.', biosVersion: '2.1', product: undefined },
      processor: { model: 'Xeon', microcode: '0x1' },
      iommu: { units: ['dmar0'], groups: 2 },
      frequency: {
        turbo: false,
        pstate: 'active',
        policies: [{ cpus: [0, 1], governor: 'performance', maxKHz: 3000000 }],
      },
      idle: { driver: 'intel_idle', states: [{ name: 'C6', latencyUs: 133, disabledOn: [1] }] },
      clocksources: ['tsc', 'hpet', 'acpi_pm'],
      vulnerabilities: { meltdown: 'Mitigation: PTI' },
    });
    expect(inspection.nics.map(({ name, rings }) => [name, rings.rx])).toEqual([
      ['ens1f0', { current: 256, maximum: 4096 }],
    ]);
  });

  test('a machine that shows nothing', async () => {
    const inspection = await readInspection(new FakeHost(), machine);
    expect(inspection.frequency).toEqual({ policies: [], turbo: undefined, pstate: undefined });
    expect(inspection.idle.states).toEqual([]);
    expect(inspection.iommu).toEqual({ units: [], groups: 0 });
    expect(inspection.nics).toMatchObject([
      { name: 'ens1f0', firmware: undefined, rings: {}, timestamping: { capabilities: [] } },
    ]);
  });
});

test.each([
  ['processor\t: 0\ncpu\t\t: POWER9', 'POWER9'],
  ['processor\t: 0\nCPU implementer\t: 0x41', undefined],
  ['', undefined],
])('nameProcessor(%j)', (cpuinfo, model) => {
  expect(nameProcessor(cpuinfo).model).toBe(model);
});
