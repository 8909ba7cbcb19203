import { commonFindings, floorOf, invalidating } from '../probe/findings.ts';
import {
  exposureOf,
  type Finding,
  type Measure,
  type Probe,
  type Variant,
  type VariantRequest,
} from '../probe/probe.ts';
import type { ProbeRun, ProbeStream } from '../probe/run.ts';

const RATE_HZ = 10_000;
const NS_PER_S = 1_000_000_000;

/** README.md says what it measures and why. */
export const shm: Probe = {
  name: 'shm',
  what: 'Messages through rings in shared memory, one way and there and back',
  variants: listVariants,
  report(run, variant) {
    return {
      probe: 'shm',
      variant: variant.name,
      floor: floorOf(run),
      measures: run.streams.map((stream) => measureOf(run, stream)),
      findings: [...commonFindings(run), ...findRate(run), ...findDamage(run), ...findSkew(run)],
    };
  },
};

/** Between the first two CPUs: 64 B there and back says most; the full suite has what else changes the figure. */
function listVariants({ cpus, suite }: VariantRequest): readonly Variant[] {
  if (cpus.length < 2) return [];
  const pair = cpus.slice(0, 2);
  const directions = suite === 'quick' ? ['round-trip'] : ['round-trip', 'one-way'];
  const payloads = suite === 'quick' ? [64] : [64, 1024];
  const places =
    suite === 'quick'
      ? [['spin', '4k']]
      : [
          ['spin', '4k'],
          ['spin', '2m'],
          ['block', '4k'],
        ];
  return directions.flatMap((direction) =>
    payloads.flatMap((payload) =>
      places.map(([wait, pages]) => ({
        name: `${direction} ${payload} B ${wait} ${pages} pages`,
        cpus: pair,
        // The sender waits for the next intended time without sleeping, whatever the receiver does.
        spins: true,
        policy: 'other' as const,
        options: { direction, payload, wait: `${wait}`, pages: `${pages}`, rate: RATE_HZ },
      })),
    ),
  );
}

function measureOf({ meta }: ProbeRun, stream: ProbeStream): Measure {
  const isOpen = stream.name === 'open';
  return {
    name: 'shm',
    cpus: [stream.cpu, stream.peer].filter((cpu) => cpu !== undefined),
    direction: meta.direction ?? 'round-trip',
    ...(meta.payloadBytes === undefined ? {} : { payloadBytes: meta.payloadBytes }),
    pacing: isOpen && meta.rateHz ? { kind: 'periodic', periodNs: NS_PER_S / meta.rateHz } : { kind: 'saturated' },
    wait: meta.wait ?? 'spin',
    samples: 'latency',
    rule: isOpen ? 'open' : 'closed',
    blocks: stream.blocks,
    exposureNs: exposureOf(stream.blocks),
  };
}

/** One message of the last instant may be missing: the run ends at a time, not with a message. */
function findRate({ meta, result }: ProbeRun): Finding[] {
  const unsent = result.unsent ?? 0;
  if (unsent <= 1) return [];
  const text = `${unsent} messages that were meant to be sent at ${meta.rateHz} a second were not sent before the end: these CPUs cannot keep that rate.`;
  return [invalidating('rate-not-kept', text)];
}

function findDamage({ result }: ProbeRun): Finding[] {
  const damaged = result.damaged ?? 0;
  return damaged === 0
    ? []
    : [invalidating('messages-damaged', `${damaged} messages did not arrive as they were sent.`)];
}

/** One way compares two CPUs' clocks, so it holds only within the bounds of their skew. */
function findSkew({ meta, result }: ProbeRun): Finding[] {
  if (meta.direction !== 'one-way') return [];
  if (meta.skew === undefined || meta.skew.lowNs > meta.skew.highNs) {
    return [invalidating('clock-skew', 'One way is not given: the clocks of the two CPUs could not be compared.')];
  }
  const negative = result.negative ?? 0;
  if (negative === 0) return [];
  return [
    invalidating(
      'clock-skew',
      `${negative} messages arrived before they were sent, by the receiver's clock, which is ahead by ` +
        `${meta.skew.lowNs.toFixed(0)} to ${meta.skew.highNs.toFixed(0)} ns.`,
    ),
  ];
}
