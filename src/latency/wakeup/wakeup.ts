import { commonFindings, finding, floorOf } from '../probe/findings.ts';
import {
  exposureOf,
  type Measure,
  POLICIES,
  type Probe,
  SCHEDULERS,
  type Variant,
  type VariantRequest,
} from '../probe/probe.ts';
import type { ProbeRun, ProbeStream } from '../probe/run.ts';

const PERIOD_NS = 500_000;

/** README.md says what it measures and why. */
export const wakeup: Probe = {
  name: 'wakeup',
  what: 'How late a thread runs that sleeps until a given time',
  hasScheduler: true,
  variants: listVariants,
  report(run, variant) {
    const overdue = run.result.overdue ?? 0;
    return {
      probe: 'wakeup',
      variant: variant.name,
      floor: floorOf(run),
      measures: run.streams.map((stream) => measureOf(run, stream)),
      findings: [
        ...commonFindings(run),
        ...(overdue > 0
          ? [
              finding(
                'periods-overdue',
                `${overdue} periods went by while the thread was kept waiting; they count, unlike in cyclictest.`,
              ),
            ]
          : []),
      ],
    };
  },
};

/** Both policies, each with idle states as the host has them and with none: the difference is what leaving them costs. */
function listVariants({ cpus, suite, scheduler }: VariantRequest): readonly Variant[] {
  if (cpus.length === 0) return [];
  const inSuite = suite === 'quick' ? (['other'] as const) : SCHEDULERS;
  const policies = scheduler === undefined ? inSuite : [scheduler];
  return policies
    .map((each) => POLICIES[each])
    .flatMap((policy) =>
      [undefined, 0].map((dmaLatencyUs) => ({
        name: dmaLatencyUs === undefined ? policy : `${policy} dma-latency ${dmaLatencyUs}`,
        cpus,
        spins: false,
        policy,
        ...(dmaLatencyUs === undefined ? {} : { dmaLatencyUs }),
        options: { 'period-ns': PERIOD_NS },
      })),
    );
}

function measureOf(run: ProbeRun, stream: ProbeStream): Measure {
  return {
    name: stream.name === 'wakeup' ? 'wakeup' : 'wakeup, as cyclictest counts',
    cpus: stream.cpu === undefined ? [] : [stream.cpu],
    direction: 'none',
    pacing: { kind: 'periodic', periodNs: run.meta.periodNs ?? PERIOD_NS },
    wait: 'sleep',
    samples: 'latency',
    rule: stream.name === 'wakeup' ? 'open' : 'service',
    blocks: stream.blocks,
    exposureNs: exposureOf(stream.blocks),
  };
}
