import { describe, expect, test } from 'vitest';
import { CpuExpressionError } from '../../../src/layout/cpu-expression.ts';
import { buildMachine } from '../../machine-builder.ts';
import { buildHybrid, takeOffline } from './machine-shapes.ts';
import { COLO, solve, TWO_NICS, thrownBy } from './solving.ts';

describe('counts', () => {
  const server = buildMachine({ coresPerPackage: 8, l3PerPackage: 2, nics: TWO_NICS });

  test('isolated cores are taken on the node of the NIC, in caches that nobody else uses first', () => {
    expect(solve({ ...COLO, isolated: { cores: 4 } }, server)).toMatchObject({
      housekeeping: '0-8,10-11',
      irq: '9',
      isolated: '12-15',
    });
    expect(solve({ ...COLO, isolated: { cores: 5 } }, server).isolated).toBe('10,12-15');
  });

  test('the next node follows when the first is used up', () => {
    expect(solve({ ...COLO, isolated: { cores: 8 } }, server).isolated).toBe('4-5,10-15');
  });

  test('near another node than the NIC', () => {
    expect(solve({ ...COLO, isolated: { cores: 4, near: 'node(0)' } }, server)).toMatchObject({
      irq: '9',
      isolated: '4-7',
    });
  });

  test('within a part of the machine', () => {
    expect(solve({ ...COLO, isolated: { cores: 'most', within: 'nic' } }, server)).toMatchObject({
      housekeeping: '0-8',
      irq: '9',
      isolated: '10-15',
    });
  });

  test('a share of the cores', () => {
    expect(solve({ isolated: { cores: '50%' } }, server).isolated).toBe('4,9-15');
    expect(solve({ isolated: { cores: '100%' } }, server)).toMatchObject({
      isolated: '1-7,9-15',
      refused: ['layout.isolated.cores'],
    });
  });

  test('more than there are: says how many are possible', () => {
    const error = thrownBy(() => solve({ isolated: { cores: 15 } }, server));
    expect(error).toMatchObject({
      message: expect.stringContaining('cores: 15 cannot be met on testbox: 14 of its 16 cores can be isolated'),
      next: ['Ask for 14 cores or fewer, or for "most".'],
    });
  });

  test('more housekeeping: next to the housekeeping that is there', () => {
    const wanted = { housekeeping: { coresPerNode: 3 }, isolated: { cores: 'most' } };
    expect(solve(wanted, server)).toMatchObject({ housekeeping: '0-2,8-10', isolated: '3-7,11-15' });
  });

  test('without a NIC no CPUs are set apart for interrupts, and that is said', () => {
    expect(solve(COLO, buildMachine())).toMatchObject({ irq: '', isolated: '1-3,5-7', refused: ['layout.irq.cores'] });
  });

  test('efficiency cores are isolated only when asked for', () => {
    const wanted = { isolated: { cores: 'most', coreType: 'any' } };
    expect(solve(wanted, buildHybrid(4, 4)).isolated).toBe('2-11');
    expect(solve({ isolated: '8-11' }, buildHybrid(4, 4)).isolated).toBe('8-11');
  });
});

describe('CPUs asked for by number', () => {
  test('the documents ask for isolcpus=0-7 on 8 CPUs: CPU 0 is refused, the rest goes on', () => {
    const { layout, ...result } = solve({ isolated: '0-7' }, buildMachine({ packages: 1, coresPerPackage: 8 }));
    expect(result).toMatchObject({ housekeeping: '0', isolated: '1-7', refused: ['layout.isolated@0'] });
    expect(layout.refused[0]?.reason).toBe(
      "CPU 0: stays housekeeping, the kernel's own work cannot leave the boot CPU 0",
    );
  });

  test('the documents place monitoring on CPU 8 of 8: not there', () => {
    const error = thrownBy(() =>
      solve({ housekeeping: '0,8', isolated: '1-7' }, buildMachine({ packages: 1, coresPerPackage: 8 })),
    );
    expect(error).toBeInstanceOf(CpuExpressionError);
    expect(error).toMatchObject({
      exitCode: 2,
      column: 3,
      message: 'CPU set "0,8", column 3: CPU 8: not on testbox, which has CPUs 0-7',
    });
  });

  test('all CPUs of the last node: one core is refused', () => {
    expect(solve({ isolated: '4-7' }, buildMachine())).toMatchObject({
      housekeeping: '0-4',
      isolated: '5-7',
      refused: ['layout.isolated@4'],
    });
  });

  test('the core that is kept on a node is taken from housekeeping, not from what is isolated', () => {
    expect(solve({ isolated: '4-6' }, buildMachine())).toMatchObject({
      isolated: '4-6',
      housekeeping: '0-3,7',
      refused: [],
    });
    expect(solve({ isolated: { cores: 'most' }, housekeeping: '0,6' }, buildMachine())).toMatchObject({
      isolated: '1-5,7',
      refused: [],
    });
  });

  test('half a core is refused, and named with its other half', () => {
    const { layout, ...result } = solve({ isolated: '1,2-3,6-7' }, buildMachine({ packages: 1, threads: 2 }));
    expect(result).toMatchObject({ isolated: '2-3,6-7', housekeeping: '0-1,4-5', refused: ['layout.isolated@1'] });
    expect(layout.refused[0]?.reason).toContain('half a core: work there (CPU 5) would disturb it');
  });

  test('an offline CPU is refused', () => {
    expect(solve({ isolated: '1-3' }, takeOffline(buildMachine({ packages: 1 }), [2]))).toMatchObject({
      isolated: '1,3',
      refused: ['layout.isolated@2'],
    });
  });

  test('when nothing is left of the wish, it is an error with all reasons', () => {
    const error = thrownBy(() => solve({ isolated: '0,2' }, buildMachine({ packages: 1, threads: 2 })));
    expect(error).toMatchObject({ key: 'isolated' });
    expect((error as Error).message).toMatch(
      /none of "0,2" can be isolated.*CPU 2: half a core.*CPU 0: stays housekeeping/,
    );
  });

  test('housekeeping takes whole cores, and the boot CPU belongs to it', () => {
    expect(
      solve({ housekeeping: '1', isolated: { cores: 'most' } }, buildMachine({ packages: 1, threads: 2 })),
    ).toMatchObject({
      housekeeping: '0-1,4-5',
      isolated: '2-3,6-7',
      refused: ['layout.housekeeping@0,4'],
    });
  });

  test('interrupt CPUs by number, also the boot CPU, which is refused', () => {
    expect(solve({ irq: '0-1', isolated: { cores: 'most' } }, buildMachine({ packages: 1 }))).toMatchObject({
      housekeeping: '0',
      irq: '1',
      isolated: '2-3',
      refused: ['layout.irq@0'],
    });
  });

  test.each([
    [{ housekeeping: '0-2', isolated: '2-7' }, 'layout.isolated: CPU 2 asked for as housekeeping and as isolated'],
    [{ irq: '1-2', isolated: '1-7' }, 'layout.isolated: CPUs 1-2 asked for as irq and as isolated'],
    [{ irq: '1', housekeeping: '0-1' }, 'layout.irq: CPU 1 asked for as housekeeping and as irq'],
  ])('one CPU in two roles: %j', (wanted, message) => {
    expect(() => solve(wanted, buildMachine())).toThrow(message);
  });

  test('one core in two roles: the isolated half is refused', () => {
    expect(
      solve({ irq: '1', isolated: '2,5-6', smt: 'siblings-offline' }, buildMachine({ packages: 1, threads: 2 })),
    ).toMatchObject({
      irq: '1,5',
      isolated: '2',
      offline: '6',
      refused: ['layout.isolated@5'],
    });
  });

  test('a role has no CPUs yet while the layout is decided', () => {
    expect(() => solve({ isolated: 'all - housekeeping' }, buildMachine())).toThrow(
      /column 7: "housekeeping" is a role/,
    );
  });
});

describe('smt: siblings-offline', () => {
  const machine = buildMachine({ threads: 2, nics: TWO_NICS });

  test('isolated cores keep one thread', () => {
    expect(solve({ ...COLO, smt: 'siblings-offline' }, machine)).toMatchObject({
      housekeeping: '0,4,8,12',
      irq: '5,13',
      isolated: '1-3,6-7',
      offline: '9-11,14-15',
    });
  });

  test('the thread that was asked for is the one that stays', () => {
    expect(solve({ isolated: '9-10', smt: 'siblings-offline' }, machine)).toMatchObject({
      isolated: '9-10',
      offline: '1-2',
      refused: [],
    });
  });

  test('once they are offline, the layout is the same', () => {
    const wanted = { ...COLO, smt: 'siblings-offline' };
    const before = solve(wanted, machine);
    const after = solve(wanted, takeOffline(machine, before.layout.offline ?? []));
    expect(after).toMatchObject({
      housekeeping: before.housekeeping,
      irq: before.irq,
      isolated: before.isolated,
      offline: '',
    });
  });
});
