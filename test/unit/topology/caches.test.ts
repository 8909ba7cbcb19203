import { describe, expect, test } from 'vitest';
import { parseCacheSize, parseCacheType, readCaches } from '../../../src/topology/caches.ts';
import { printCpulist } from '../../../src/topology/cpulist.ts';
import { FakeHost } from '../../fake-host.ts';
import { type SysfsCpu, sysfsOf } from './sysfs.ts';

/** `L2 1048576 0-1` of each cache. */
async function cachesOf(cpus: Record<number, SysfsCpu>, online = Object.keys(cpus).map(Number)): Promise<string[]> {
  const caches = await readCaches(sysfsOf(cpus), online, (cpu) => cpus[cpu]?.threads ?? [cpu]);
  return caches.map(({ level, type, bytes, cpus: own }) => `L${level}${type[0]} ${bytes} ${printCpulist(own)}`);
}

const l1 = (cpu: number) => ({ level: 1, type: 'Data', size: '32K', cpus: [cpu] });
const l2 = (...cpus: number[]) => ({ level: 2, type: 'Unified', size: '1024K', cpus });
const l3 = (...cpus: number[]) => ({ level: 3, type: 'Unified', size: '32M', cpus });

describe('readCaches', () => {
  test('shared caches once, ordered by level, type and CPU', async () => {
    const instruction = (cpu: number) => ({ level: 1, type: 'Instruction', size: '64K', cpus: [cpu] });
    const cpus = {
      0: { caches: [l1(0), instruction(0), l2(0, 1)] },
      1: { caches: [l1(1), instruction(1), l2(0, 1)] },
    };
    expect(await cachesOf(cpus)).toEqual([
      'L1d 32768 0',
      'L1d 32768 1',
      'L1i 65536 0',
      'L1i 65536 1',
      'L2u 1048576 0-1',
    ]);
  });

  test('a CPU without the L2 of its neighbours numbers its caches otherwise', async () => {
    const cpus = { 0: { caches: [l1(0), l3(0, 1)] }, 1: { caches: [l1(1), l2(1), l3(0, 1)] } };
    expect(await cachesOf(cpus)).toEqual(['L1d 32768 0', 'L1d 32768 1', 'L2u 1048576 1', 'L3u 33554432 0-1']);
    const reversed = { 0: { caches: [l1(0), l2(0), l3(0, 1)] }, 1: { caches: [l1(1), l3(0, 1)] } };
    expect(await cachesOf(reversed)).toEqual(['L1d 32768 0', 'L1d 32768 1', 'L2u 1048576 0', 'L3u 33554432 0-1']);
  });

  test('caches of different sizes at one level', async () => {
    const cpus = { 0: { caches: [{ ...l2(0), size: '2M' }] }, 1: { caches: [l2(1)] } };
    expect(await cachesOf(cpus)).toEqual(['L2u 2097152 0', 'L2u 1048576 1']);
  });

  test('an empty map means the core (IA-64)', async () => {
    const cpus = { 0: { threads: [0, 1], caches: [l2()] }, 1: { threads: [0, 1], caches: [l2()] } };
    expect(await cachesOf(cpus)).toEqual(['L2u 1048576 0-1']);
  });

  test('offline CPUs do not count', async () => {
    const cpus = { 0: { caches: [l2(0, 1)] }, 1: { online: '0', caches: [l2(0, 1)] } } as const;
    expect(await cachesOf(cpus, [0])).toEqual(['L2u 1048576 0']);
  });

  test('a cache of an unknown type or without level is none', async () => {
    const cpus = { 0: { caches: [{ ...l1(0), type: 'Unknown' }, l2(0)] } };
    expect(await cachesOf(cpus)).toEqual(['L2u 1048576 0']);
  });

  test('SPARC has files of its own, in bytes', async () => {
    const host = new FakeHost({
      '/sys/devices/system/cpu/cpu6/l1_dcache_size': '16384\n',
      '/sys/devices/system/cpu/cpu6/l2_cache_size': '1048576\n',
    });
    expect(await readCaches(host, [6], () => [6])).toEqual([
      { level: 1, type: 'data', bytes: 16384, cpus: [6] },
      { level: 2, type: 'unified', bytes: 1048576, cpus: [6] },
    ]);
  });
});

test.each([
  ['32K', 32768],
  ['30720K', 31457280],
  ['1M', 1048576],
  ['512', 512],
  ['0K', 0],
  ['', undefined],
  ['K', undefined],
  ['-1K', undefined],
  ['32 apples', undefined],
])('parseCacheSize(%j)', (text, bytes) => {
  expect(parseCacheSize(text)).toBe(bytes);
});

test.each([
  ['Data\n', 'data'],
  ['Unified', 'unified'],
  ['Unknown', undefined],
  [undefined, undefined],
])('parseCacheType(%j)', (text, type) => {
  expect(parseCacheType(text)).toBe(type);
});
