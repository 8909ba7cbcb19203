import { describe, expect, test } from 'vitest';
import {
  type Artefact,
  findChanges,
  findHeldIdleStates,
  findThrottling,
  type Surroundings,
} from '../../../../src/latency/attribution/artefacts.ts';
import {
  candidatesBelow,
  candidatesBeside,
  candidatesOf,
  parseCounterTable,
  readCounters,
} from '../../../../src/latency/attribution/counters.ts';
import { findPeriod, suspectOf } from '../../../../src/latency/attribution/periodicity.ts';
import { FakeHost } from '../../../fake-host.ts';
import { buildMachine } from '../../../machine-builder.ts';

const { irqs } = buildMachine({ irqs: [{ irq: 35, device: 'ens1', queue: 'rx-2' }] });

/** CPU 1 is offline: the columns are of 0, 2 and 3. */
function counting(factor: number): FakeHost {
  const host = new FakeHost({
    '/proc/interrupts': `            CPU0       CPU2       CPU3
 35:          9          ${5 * factor}          0  IR-PCI-MSI 1-edge ens1-rx-2
LOC:          9        ${250 * factor}        100   Local timer interrupts
ERR:          0
`,
    '/proc/softirqs': `                    CPU0       CPU2       CPU3\n         RCU:          1          ${3 * factor}          7\n`,
    '/proc/stat': `cpu  1 2 3 4\ncpu0 1 0 1 1 0 0 0 0 0 0\ncpu2 1 0 1 1 0 0 0 ${factor} 0 0\nintr 5\n`,
    '/proc/schedstat': `version 15\ncpu2 0 0 0 0 0 0 9 9 ${40 * factor}\ndomain0 3 1\ncpu3 0 0 0 0 0 0 9 9 ${2 * factor}\n`,
  });
  host.commands.set('rdmsr -p 2 -d 0x34', `${10 * factor}\n`);
  return host;
}

async function countedBetween() {
  return { before: await readCounters(counting(1), [2]), after: await readCounters(counting(3), [2]), irqs };
}

describe('counters', () => {
  test('columns belong to the CPUs that the header names', () => {
    const table = parseCounterTable('        CPU0  CPU2\nLOC:  1  2  Local\nERR:  0\n 7:  3\n');
    expect([...table]).toEqual([
      [
        'LOC',
        new Map([
          [0, 1],
          [2, 2],
        ]),
      ],
    ]);
  });

  test('what happened on a CPU, most frequent first, with the evidence', async () => {
    const lines = candidatesOf(2, await countedBetween()).map(({ cause, count, evidence, fix }) => [
      cause,
      count,
      evidence,
      fix,
    ]);
    expect(lines).toEqual([
      ['timer tick', 500, '/proc/interrupts LOC +500', 'isolation.nohz_full'],
      ['other threads', 80, '/proc/schedstat +80 timeslices', 'isolation.isolcpus'],
      ['interrupt ens1/rx-2', 10, '/proc/interrupts 35 +10', 'irq.affinity@ens1/rx-2'],
      ['softirq RCU', 6, '/proc/softirqs RCU +6', 'isolation.rcu_nocbs'],
    ]);
    expect(candidatesOf(3, await countedBetween()).map(({ cause }) => cause)).toEqual(['other threads']);
  });

  test('what is below the kernel and beside the CPU', async () => {
    const counted = await countedBetween();
    expect(candidatesBelow(2, counted)).toMatchObject([
      { kind: 'hypervisor-steal', totalNs: 20_000_000, evidence: '/proc/stat steal +20 ms' },
      { kind: 'smi', count: 20, evidence: 'MSR 0x34 +20' },
    ]);
    expect(candidatesBelow(0, counted)).toEqual([]);
    expect(candidatesBeside(2, [2, 3], counted)).toMatchObject([
      { kind: 'smt-sibling', count: 4, fix: 'cpu.online@cpu3' },
    ]);
  });

  test('what cannot be read counts nothing', async () => {
    const nothing = await readCounters(new FakeHost(), [2]);
    expect(candidatesOf(2, { before: nothing, after: nothing, irqs })).toEqual([]);
  });
});

describe('periods', () => {
  test.each([
    [4e6, 'CONFIG_HZ=250'],
    [1e6, 'CONFIG_HZ=1000'],
    [1e9, 'once a second'],
    [7e6, undefined],
  ])('%d ns', (periodNs, suspect) => {
    // Others between every fifth of them, and the period itself is not exact.
    const starts = Array.from({ length: 100 }, (_, nth) => [
      nth * periodNs * (1 + (nth % 3) * 1e-5),
      ...(nth % 5 === 0 ? [(nth + 0.37) * periodNs] : []),
    ]).flat();
    const found = findPeriod(starts);
    expect(found?.periodNs).toBeGreaterThan(periodNs * 0.98);
    expect(found?.periodNs).toBeLessThan(periodNs * 1.02);
    const said = suspectOf(found?.periodNs ?? 0);
    if (suspect === undefined) expect(said).toBeUndefined();
    else expect(said).toContain(suspect);
  });

  test('few gaps, or none alike, have none', () => {
    expect(findPeriod([0, 1, 2, 3])).toBeUndefined();
    expect(findPeriod(Array.from({ length: 60 }, (_, nth) => 1.1 ** nth))).toBeUndefined();
  });
});

describe('artefacts', () => {
  const around = (changes: Partial<Surroundings> = {}): Surroundings => ({
    realtime: { runtimeUs: 950_000, periodUs: 1_000_000 },
    fairServerNs: new Map(),
    frequencyKhz: new Map(),
    clocksource: 'tsc',
    ...changes,
  });
  const throttled = (policy: 'fifo' | 'other', lengthNs = 48.3e6) => ({
    cpu: 2,
    policy,
    startsNs: [0, 1, 2, 3, 4].map((nth) => nth * 1e9),
    lengthsNs: Array(5).fill(lengthNs),
  });
  const kinds = (found: readonly Artefact[]) => found.map(({ kind, fix }) => [kind, fix]);
  const off = { realtime: { runtimeUs: -1, periodUs: 1_000_000 } };
  const fair = { fairServerNs: new Map([[2, 50_000_000]]) };

  test.each([
    [
      'realtime throttling',
      throttled('fifo'),
      around(),
      ['realtime-throttling', 'kernel.sysctl@kernel.sched_rt_runtime_us'],
    ],
    ['the fair server', throttled('fifo'), around(fair), ['fair-server', 'kernel.fair_server@isolated']],
    [
      'the fair server alone',
      throttled('fifo'),
      around({ ...off, ...fair }),
      ['fair-server', 'kernel.fair_server@isolated'],
    ],
    ['neither', throttled('fifo'), around(off), undefined],
    ['an ordinary thread', throttled('other'), around(), undefined],
    ['gaps of another length', throttled('fifo', 1e6), around(), undefined],
  ] as const)('%s', (_, measured, surroundings, expected) => {
    expect(kinds(findThrottling(measured, surroundings))).toEqual(expected === undefined ? [] : [expected]);
  });

  test('which of the two it is is left open where the kernel does not show it', () => {
    const said = (surroundings: Surroundings) => findThrottling(throttled('fifo'), surroundings)[0]?.text;
    expect(said(around())).toContain('or, since Linux 6.12, its fair server');
    expect(said(around({ fairServerNs: new Map([[2, 0]]) }))).not.toContain('fair server');
  });

  test('a change of frequency and of clock', () => {
    const before = around({
      frequencyKhz: new Map([
        [2, 3_000_000],
        [3, 3_000_000],
      ]),
    });
    const after = around({
      frequencyKhz: new Map([
        [2, 2_000_000],
        [3, 3_050_000],
      ]),
      clocksource: 'hpet',
    });
    expect(findChanges(before, after).map(({ kind, cpu }) => [kind, cpu])).toEqual([
      ['frequency-change', 2],
      ['clocksource-unstable', undefined],
    ]);
    expect(findChanges(around(), around())).toEqual([]);
    expect(findChanges(around({ clocksource: 'kvm-clock' }), around({ clocksource: 'kvm-clock' }))).toHaveLength(1);
  });

  test('idle states that the run itself held off', () => {
    expect(findHeldIdleStates(0)[0]?.text).toContain('/dev/cpu_dma_latency at 0 us');
    expect(findHeldIdleStates(undefined)).toEqual([]);
  });
});
