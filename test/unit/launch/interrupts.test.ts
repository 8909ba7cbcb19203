import { describe, expect, test } from 'vitest';
import { parseInterruptTable } from '../../../src/launch/interrupt-text.ts';
import type { IrqLabel } from '../../../src/launch/judge.ts';
import { judgeInterrupts } from '../../../src/launch/judge-interrupts.ts';
import { judgeTicks } from '../../../src/launch/judge-ticks.ts';
import type { Look } from '../../../src/launch/look.ts';
import { lookAtInterrupts } from '../../../src/launch/look-interrupts.ts';
import { newLookMemory } from '../../../src/launch/look-memory.ts';
import type { PlacedThread } from '../../../src/launch/placement.ts';
import { findSingle, type Subject } from '../../../src/launch/subject.ts';
import { FakeHost } from '../../fake-host.ts';
import { rule } from './task-texts.ts';

const CPUS = { exclusive: [4], watched: [4], isolated: [4], tickless: [4] };
const NAMES = new Map<number, IrqLabel>([
  [24, { name: 'ens1/rx-3', isManaged: false }],
  [25, { name: 'nvme0/q4', isManaged: true }],
]);

interface Moment {
  /** Counts of IRQ 24 and 25 on CPU 4, and its timer. */
  readonly counts?: readonly [number, number];
  readonly timer?: number;
  readonly affinity?: readonly [string, string];
}

/** A machine in a row of moments, a second apart, looked at as it is looked at on a host. */
async function watch(moments: readonly Moment[]): Promise<Look[]> {
  const memory = newLookMemory();
  const looks: Look[] = [];
  for (const [index, { counts = [0, 0], timer = 0, affinity = ['0', '0'] }] of moments.entries()) {
    const host = new FakeHost({
      '/proc/interrupts': `          CPU0       CPU4\n 24:  100  ${counts[0]}  IR-PCI-MSIX-0000:01:00.0    3-edge  ens1-TxRx-3\n 25:  9  ${counts[1]}  IR-PCI-MSIX-0000:02:00.0  4-edge  nvme0q4\nLOC:  5000  ${timer}  Local timer interrupts\nERR:  0\n`,
      '/proc/irq/24/effective_affinity_list': `${affinity[0]}\n`,
      '/proc/irq/25/smp_affinity_list': `${affinity[1]}\n`,
    });
    const atMs = index * 1000;
    const interrupts = await lookAtInterrupts(host, CPUS.watched, { atMs, memory });
    looks.push({ atMs, processes: [], others: [], otherCount: 0, interrupts });
  }
  return looks;
}

const judge = async (moments: readonly Moment[], cpus = CPUS) =>
  judgeInterrupts({ looks: await watch(moments), cpus, irqs: NAMES })[0];
const onShared = { ...CPUS, exclusive: [], isolated: [] };

describe('interrupts of devices on a CPU that a process has to itself', () => {
  test('none', async () => {
    expect(await judge([{}, {}, {}])).toMatchObject({
      id: 'processes.interrupts@cpu4',
      status: 'pass',
      evidence: 'of 2 interrupts of devices, in 3 looks',
    });
  });

  test('one that was moved there and does not come yet: named, with where it was', async () => {
    expect(await judge([{}, { affinity: ['4', '0'] }, { affinity: ['4', '0'] }])).toMatchObject({
      status: 'fail',
      actual: 'ens1/rx-3',
      evidence: 'ens1/rx-3 (IRQ 24): moved to 4 from 0, first seen after 1.0 s, 0 on this CPU in 2.0 s',
    });
  });

  test('one that was moved there and comes: seen at once by its count', async () => {
    expect(await judge([{}, { affinity: ['0,4', '0'], counts: [7, 0] }])).toMatchObject({
      evidence: 'ens1/rx-3 (IRQ 24): moved to 0,4 from 0, first seen after 1.0 s, 7 on this CPU in 1.0 s',
    });
  });

  test('one that has been there since before', async () => {
    const there: Moment = { affinity: ['4', '0'] };
    expect(await judge([there, there])).toMatchObject({
      evidence: 'ens1/rx-3 (IRQ 24): goes to 4, 0 on this CPU in 1.0 s',
    });
  });

  test('a managed one only when it comes', async () => {
    const there = (count: number): Moment => ({ affinity: ['0', '4'], counts: [0, count] });
    expect((await judge([there(5), there(5)]))?.status).toBe('pass');
    expect(await judge([there(5), there(6)])).toMatchObject({ status: 'fail', actual: 'nvme0/q4' });
  });
});

describe('on a CPU that others share', () => {
  test('what comes there is not news, what is moved there is', async () => {
    expect((await judge([{ affinity: ['4', '0'] }, { affinity: ['4', '0'], counts: [90, 0] }], onShared))?.status).toBe(
      'pass',
    );
    expect((await judge([{}, { affinity: ['4', '0'], counts: [1, 0] }], onShared))?.status).toBe('fail');
  });
});

describe('the tick', () => {
  const tick = async (timer: number, cpus = CPUS) => judgeTicks({ looks: await watch([{}, { timer }]), cpus });

  test('silent, and not', async () => {
    expect(await tick(10)).toMatchObject([{ id: 'processes.ticks@cpu4', status: 'pass' }]);
    expect(await tick(250)).toMatchObject([
      {
        status: 'fail',
        actual: '250.0/s',
        evidence:
          '250 timer interrupts in 1.0 s; nobody else was seen to run there: timers of the thread itself count too',
      },
    ]);
  });

  test('nothing is promised of a CPU whose tick the kernel does not stop', async () => {
    expect(await tick(250, { ...CPUS, tickless: [] })).toEqual([]);
  });
});

test('CPUs of single threads: those where nothing else that is watched is placed', () => {
  const memory = { policy: 'default', nodes: [], lock: false, hugepages: {}, why: '' } as const;
  const subject = (threads: readonly PlacedThread[]): Subject => ({
    placed: { name: 'md', why: undefined, own: [], idle: [], rest: [0], threads, memory },
    record: undefined,
    isWanted: true,
    isAdopted: false,
  });
  const first = subject([rule('rx', [[1], [2]]), rule('tx', [[3]]), rule('wide', [[5, 6]]), rule('*', [[0]])]);
  expect(findSingle([first, subject([rule('log', [[3]])])])).toEqual([1, 2]);
});

test('/proc/interrupts: by CPU, also of numbers that are not in a row; devices on watched CPUs', () => {
  const text =
    '           CPU0       CPU4\n 24:  1  20  IO-APIC 5-edge x\n 30: 3 4 GICv3 27 Level arch_timer\nLOC:  100  200  Local timer interrupts\nRES: 3 4 Rescheduling\nERR:  7\n';
  const { cpus, devices } = parseInterruptTable(text, [4]);
  expect([...cpus]).toEqual([
    [0, { timer: 103, devices: 1, others: 10 }],
    [4, { timer: 204, devices: 20, others: 4 }],
  ]);
  expect(devices).toEqual([{ irq: 24, description: 'IO-APIC 5-edge x', counts: new Map([[4, 20]]) }]);
});
