import { commonFindings, finding, floorOf, invalidating } from '../probe/findings.ts';
import type { Skew } from '../probe/meta.ts';
import {
  exposureOf,
  type Finding,
  type Measure,
  type Probe,
  type Variant,
  type VariantRequest,
} from '../probe/probe.ts';
import type { ProbeRun, ProbeStream } from '../probe/run.ts';
import { findDamage, findDrops, findRate } from '../probe/traffic.ts';

const STAGES = 5;
const NS_PER_S = 1_000_000_000;

/** A send through the kernel takes longer than a millionth of a second is long, so that the fastest feed submits to memory. */
const WAYS = [
  { name: 'rate 10k socket', rate: 10_000, submit: 'socket', isQuick: false },
  { name: 'rate 100k socket', rate: 100_000, submit: 'socket', isQuick: true },
  { name: 'rate 1M memory', rate: 1_000_000, submit: 'memory', isQuick: false },
] as const;

/** README.md says what it measures and why. */
export const pipeline: Probe = {
  name: 'pipeline',
  what: 'A synthetic critical path from a tick to an order: each stage, and all of them',
  onlyInFull: true,
  needs: `${STAGES} CPUs of ${STAGES} physical cores`,
  variants: listVariants,
  report(run, variant) {
    const skew = widestSkew(run);
    return {
      probe: 'pipeline',
      variant: variant.name,
      floor: { ...floorOf(run), ...(skew && { skew }) },
      measures: run.streams.map((stream) => measureOf(run, stream)),
      findings: [
        finding('synthetic', sayWork(run)),
        ...commonFindings(run),
        ...findSharing(run),
        ...findRate(run),
        ...findFullRings(run),
        ...findDrops(run),
        ...findDamage(run),
        ...findSkew(run),
      ],
    };
  },
};

/** A core each: two stages on the hyperthreads of one would measure each other. */
function listVariants({ cpus, suite, coreCpus = cpus, pattern }: VariantRequest): readonly Variant[] {
  if (coreCpus.length < STAGES) return [];
  return WAYS.filter(({ isQuick }) => isQuick || suite === 'full').map(({ name, rate, submit }) => ({
    name: pattern === undefined ? name : `${name} own pattern`,
    cpus: coreCpus.slice(0, STAGES),
    spins: true,
    policy: 'other',
    options: { rate, submit, wait: 'spin', ...(pattern !== undefined && { pattern }) },
  }));
}

function measureOf({ meta }: ProbeRun, { name, part, cpu, peer, blocks }: ProbeStream): Measure {
  const isService = name === 'service';
  // All of them together end with what the last of them was given.
  const stage = part === 'whole' ? meta.stages?.at(-1) : meta.stages?.find((each) => each.part === part);
  return {
    name: 'pipeline',
    ...(part !== undefined && { part }),
    isSynthetic: true,
    cpus: [cpu, peer].filter((each) => each !== undefined),
    direction: 'one-way',
    ...(stage && { payloadBytes: stage.payloadBytes }),
    pacing: { kind: 'pattern', periodNs: NS_PER_S / (meta.rateHz ?? 1) },
    wait: meta.wait ?? 'spin',
    samples: 'latency',
    rule: isService ? 'service' : 'open',
    blocks,
    exposureNs: exposureOf(blocks),
  };
}

/** That nobody takes it for his own, and what of the time of a stage was waiting. */
function sayWork({ meta, streams }: ProbeRun): string {
  const { submit, pattern } = meta;
  const arrivals = pattern?.source === 'own' ? 'Its arrivals are those of your file.' : 'Its arrivals are generated.';
  const out = submit === 'socket' ? 'Orders go into a UDP socket that nobody reads.' : 'Orders are written to memory.';
  const waits = (meta.stages ?? []).flatMap(({ part }) => {
    const share = waitingShare(streams, part);
    return share === undefined ? [] : [`${part} ${(share * 100).toFixed(0)} %`];
  });
  const waiting =
    waits.length === 0 ? '' : ` Of a stage's time messages waited or were on the way: ${waits.join(', ')}.`;
  return `The pipeline is synthetic: made-up work of a fixed amount, not your strategy (--ingest judges your own log). ${arrivals} ${out}${waiting}`;
}

/** Of the time from hand-over to hand-over the part in which the stage did not work on the message. */
function waitingShare(streams: readonly ProbeStream[], part: string): number | undefined {
  const sumNs = (name: string) =>
    streams
      .filter((stream) => stream.part === part && stream.name === name)
      .flatMap(({ blocks }) => blocks)
      .reduce((sum, block) => sum + block.sumNs, 0);
  const [totalNs, serviceNs] = [sumNs('open'), sumNs('service')];
  return totalNs === 0 || serviceNs === 0 ? undefined : Math.max(0, 1 - serviceNs / totalNs);
}

function findSharing({ meta }: ProbeRun): Finding[] {
  if (!meta.stagesShareCpus) return [];
  return [invalidating('cpus-shared', 'Several stages shared a CPU: each waited for the others.')];
}

/** Nothing is lost by it: the message waits, and its waiting is in the figures. */
function findFullRings({ result }: ProbeRun): Finding[] {
  const full = (result.ringsFull ?? []).filter(({ times }) => times > 0);
  if (full.length === 0) return [];
  const list = full.map(({ part, times }) => `${part} ${times}`).join(', ');
  const text = `Messages found the ring behind a stage full and waited for a place, which counts as their latency: ${list}.`;
  return [finding('rings-full', text)];
}

function widestSkew({ meta }: ProbeRun): Skew | undefined {
  return [...(meta.skews ?? [])].map(({ skew }) => skew).sort((one, other) => other.errorNs - one.errorNs)[0];
}

/** Every time is between two CPUs, so it holds only within the bounds of their skew. */
function findSkew({ meta, result }: ProbeRun): Finding[] {
  const unknown = (meta.skews ?? []).filter(({ skew }) => skew.lowNs > skew.highNs);
  const isCompared = (meta.skews ?? []).length > 0 || meta.stagesShareCpus;
  if (!isCompared || unknown.length > 0) {
    const which = unknown.map(({ cpu, peer }) => `${cpu} and ${peer}`).join(', ');
    return [invalidating('clock-skew', `The clocks of the CPUs ${which} could not be compared.`.replace('  ', ' '))];
  }
  const negative = result.negative ?? 0;
  if (negative === 0) return [];
  const text = `${negative} times a message was handed on before it was handed over, by the clocks of the two CPUs.`;
  return [invalidating('clock-skew', text)];
}
