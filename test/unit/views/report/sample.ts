import { probes } from '../../../../src/latency/index.ts';
import type { Measured } from '../../../../src/latency/probe/measure.ts';
import type { Probe, Variant } from '../../../../src/latency/probe/probe.ts';
import type { ProbeRun } from '../../../../src/latency/probe/run.ts';
import { plotMeasurements } from '../../../../src/latency/report/plots.ts';
import type { LatencyRecord } from '../../../../src/latency/report/record.ts';
import { type Outcome, reportLatency } from '../../../../src/latency/report/result.ts';
import type { Target } from '../../../../src/latency/targets/target.ts';
import type { HostFacts } from '../../../../src/topology/host-facts.ts';
import type { AttributedResult, Disturbance, GapSeen } from '../../../../src/views/report/input.ts';
import { longTailed, makeRun, numbersFrom } from './made-run.ts';

/** A measurement of a made-up host of eight CPUs, through all that makes a page of a real one. */
const CPUS = [2, 3, 4, 5, 6, 7];

export interface Scale {
  readonly cpus?: readonly number[];
  readonly blocks?: number;
  readonly blockNs?: number;
  readonly slower?: number;
}

export function sampleRecord(scale: Scale = {}): LatencyRecord {
  const outcomes = sampleOutcomes(scale);
  const profile = { name: 'colo', differs: 3, unread: 0, why: null };
  const cpus = { cpus: scale.cpus ?? CPUS, why: 'the isolated CPUs' };
  const question = { host: 'box7', profile, targets: TARGETS, cpus, suite: 'full', hypervisor: undefined } as const;
  const result = reportLatency(question, outcomes, []);
  return {
    time: '2026-11-21T10:30:00.000Z',
    version: '0.1.0',
    result,
    plots: plotMeasurements(outcomes),
    facts: FACTS,
  };
}

const TARGETS = [
  { name: 'jitter', probe: 'jitter', load: 'none', 'p99.9': 1000, 'p99.99': 20_000 },
  { name: 'wakeup', probe: 'wakeup', load: 'none', p50: 3000, p99: 5000, 'p99.9': 10_000, 'p99.99': 20_000 },
  { name: 'shared-memory', probe: 'shm', load: 'none', direction: 'round-trip', payload: 64, p50: 500, p99: 2000 },
  { name: 'redis-get', probe: 'redis', load: 'none', p50: 50_000 },
] as Target[];

function sampleOutcomes({ cpus = CPUS, blocks = 100, blockNs = 1e8, slower = 1 }: Scale): Outcome[] {
  const time = { blocks, blockNs };
  return probes.flatMap((probe) =>
    probe.variants({ cpus, suite: 'full' }).flatMap((variant, index): Outcome[] => {
      const run = runOf(probe, variant, { time, slower: slower * (1 + index / 5) });
      if (run === undefined) return [];
      const measured: Measured = { status: 'measured', run };
      return [{ probe, variant, measured, startedEpochS: 0 }];
    }),
  );
}

interface Making {
  readonly time: { readonly blocks: number; readonly blockNs: number };
  readonly slower: number;
}

function runOf(probe: Probe, variant: Variant, { time, slower }: Making): ProbeRun | undefined {
  const { cpus, options } = variant;
  if (probe.name === 'jitter') {
    const streams = cpus.map((cpu) => ({ name: 'gap', cpu }));
    const sampleNs = longTailed(2500 * slower, { rarity: 30, factor: 8 });
    return makeRun({ probe: 'jitter', streams, meta: { thresholdNs: 1000 }, samplesPerBlock: 4, ...time, sampleNs });
  }
  if (probe.name === 'wakeup') {
    const streams = ['wakeup', 'service'].flatMap((name) => cpus.map((cpu) => ({ name, cpu })));
    const sampleNs = (random: () => number, stream: number) => longTailed(1800 * slower + 150 * stream)(random);
    return makeRun({ probe: 'wakeup', streams, meta: { periodNs: 500_000 }, ...time, sampleNs });
  }
  if (probe.name === 'shm') {
    const [cpu = 0, peer = 1] = cpus;
    const { direction, payload, wait, pages, rate } = options;
    const skew = { offsetNs: 3, errorNs: 40, lowNs: -40, highNs: 46 };
    const meta = { direction, payloadBytes: payload, wait, pages, rateHz: rate, skew };
    const streams = ['open', 'closed'].map((name) => ({ name, cpu, peer }));
    return makeRun({ probe: 'shm', streams, meta, ...time, sampleNs: longTailed(180 * slower) });
  }
  if (probe.name === 'pipeline') return pipelineRun(variant, { time, slower });
  if (probe.name !== 'core-to-core') return undefined;
  const streams = cpus.flatMap((cpu, index) => cpus.slice(index + 1).map((peer) => ({ name: 'rtt', cpu, peer })));
  const sampleNs = (random: () => number, stream: number) => longTailed(90 + (stream % 5) * 25)(random);
  return makeRun({ probe: 'core-to-core', streams, samplesPerBlock: 20, ...time, blocks: 10, sampleNs });
}

function pipelineRun({ cpus, options }: Variant, { time, slower }: Making): ProbeRun {
  const parts = ['gateway', 'market-data', 'strategy', 'risk', 'order'];
  const stages = parts.map((part, index) => ({
    ...{ part, cpu: cpus[index] ?? 0, payloadBytes: index < 2 ? 1024 : 64 },
    ...{ lines: 16, stateBytes: 65536, steps: 64 },
  }));
  const skew = { offsetNs: 3, errorNs: 40, lowNs: -40, highNs: 46 };
  const meta = {
    ...{ wait: 'spin', rateHz: options.rate, submit: options.submit, stages },
    ...{ pattern: { source: 'shipped', arrivals: 4096 }, skews: [{ cpu: cpus[0], peer: cpus[1], skew }] },
  };
  const [gateway = 0, last = 0] = [cpus[0], cpus[4]];
  const between = stages.slice(1).map(({ part, cpu }, index) => ({ part, cpu: cpus[index] ?? 0, peer: cpu }));
  const streams = [
    { name: 'open', part: 'gateway', cpu: gateway },
    ...between.flatMap((place) => ['open', 'service'].map((name) => ({ name, ...place }))),
    { name: 'open', part: 'whole', cpu: gateway, peer: last },
  ];
  return makeRun({
    probe: 'pipeline',
    streams,
    meta,
    ...time,
    samplesPerBlock: 20,
    sampleNs: longTailed(700 * slower),
  });
}

export const FACTS: HostFacts = {
  host: 'box7',
  product: 'Dell Inc. PowerEdge R750',
  bios: 'Dell Inc. 1.9.2 11/17/2022',
  cpuModel: 'Intel(R) Xeon(R) Gold 6354 CPU @ 3.00GHz',
  microcode: '0xd0003a5',
  cpus: { online: [0, 1, 2, 3, 4, 5, 6, 7], present: 8, smt: false },
  kernel: '6.1.0-18-rt-amd64',
  realtime: true,
  architecture: 'x86_64',
  cmdline: 'BOOT_IMAGE=/boot/vmlinuz root=UUID=1 ro quiet isolcpus=managed_irq,domain,2-7 nohz_full=2-7 rcu_nocbs=2-7',
  isolated: CPUS,
  nohzFull: CPUS,
  clocksource: 'tsc',
  hypervisor: null,
  governors: ['performance'],
  turbo: true,
  idleStates: ['POLL', 'C1', 'C1E', 'C6'],
  mitigations: { meltdown: 'Not affected', mds: 'Vulnerable', spectre_v2: 'Mitigation: Enhanced IBRS' },
  irqs: Array.from({ length: 24 }, (_, queue) => ({
    name: `ens1f0/rx-${queue}`,
    cpus: [queue % 2],
    managed: queue > 20,
  })),
  nics: [{ name: 'ens1f0', driver: 'mlx5_core', firmware: '22.36.1010' }],
};

const CAUSES = ['timer tick', 'interrupt ens1f0/rx-3', 'kworker/2:1', 'softirq RCU', 'IPI call', 'ksoftirqd/3', null];

/** The same with causes, as attribution gives them. */
export function withCauses(result: LatencyRecord['result'], count = 600): AttributedResult {
  const random = numbersFrom(3);
  const gaps: GapSeen[] = Array.from({ length: count }, (_, index) => ({
    cpu: CPUS[index % CPUS.length] as number,
    atS: (index * 10) / count,
    durationNs: Math.round(longTailed(2500 * (1 + (index % 7)), { rarity: 20, factor: 10 })(random)),
    cause: CAUSES[Math.floor(random() * CAUSES.length)] ?? null,
  }));
  const disturbances = CAUSES.flatMap((cause, index): Disturbance[] => {
    const own = gaps.filter((gap) => gap.cause === cause);
    if (cause === null) return [];
    const totalNs = own.reduce((sum, { durationNs }) => sum + durationNs, 0);
    const maxNs = Math.max(0, ...own.map(({ durationNs }) => durationNs));
    return [{ cause, count: own.length, totalNs, maxNs, fix: index % 2 === 0 ? `isolation.cause@${index}` : null }];
  });
  const attribution = { tier: 'B', why: 'Events of the kernel, joined with the gaps by the TSC.' };
  return { ...result, gaps, disturbances, explainedFraction: 0.917, attribution };
}
