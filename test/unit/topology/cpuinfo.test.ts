import { describe, expect, test } from 'vitest';
import { guessArchitecture, parseCpuinfo } from '../../../src/topology/cpuinfo.ts';

describe('parseCpuinfo', () => {
  test('x86', () => {
    const [first, second] = parseCpuinfo(
      'processor\t: 0\nmodel name\t: Intel(R) X\ncore id\t\t: 2\n\nprocessor\t: 5\n',
    );
    expect(first?.cpu).toBe(0);
    expect(first?.fields.get('core id')).toBe('2');
    expect(second?.cpu).toBe(5);
  });

  test('s390 writes one line per processor', () => {
    const text =
      'vendor_id       : IBM/S390\nprocessor 0: version = FF, identification = 1\nprocessor 1: version = FF\n';
    expect(parseCpuinfo(text).map(({ cpu }) => cpu)).toEqual([0, 1]);
  });

  test('old ARM names the model before the first processor', () => {
    expect(parseCpuinfo('Processor\t: ARMv7 rev 2\nprocessor\t: 0\nBogoMIPS\t: 1\n').map(({ cpu }) => cpu)).toEqual([
      0,
    ]);
  });

  test('text without processors has none', () => {
    expect(parseCpuinfo('')).toEqual([]);
    expect(parseCpuinfo('processor: many\nnonsense')).toEqual([]);
  });
});

test.each([
  ['flags\t\t: fpu vme lm constant_tsc', 'x86_64'],
  ['flags\t\t: fpu vme', 'i686'],
  ['CPU implementer\t: 0x41\nCPU architecture: 8', 'aarch64'],
  ['vendor_id       : IBM/S390', 's390x'],
  ['cpu\t\t: POWER7 (architected)', 'ppc64'],
  ['isa\t\t: rv64imafdc', 'riscv64'],
  ['', undefined],
])('guessArchitecture(%j)', (cpuinfo, architecture) => {
  expect(guessArchitecture(cpuinfo)).toBe(architecture);
});
