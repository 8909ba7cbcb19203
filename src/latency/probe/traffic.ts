import { commonFindings, floorOf, invalidating } from './findings.ts';
import {
  exposureOf,
  type Finding,
  type Measure,
  type Probe,
  type ProbeReport,
  type Variant,
  type VariantRequest,
} from './probe.ts';
import type { ProbeRun, ProbeStream } from './run.ts';

const RATE_HZ = 10_000;
const NS_PER_S = 1_000_000_000;

/** What differs between the probes that send messages from one CPU to another (agents/probes/traffic.h). */
export interface Traffic {
  readonly name: string;
  readonly what: string;
  readonly onlyInFull?: boolean;
  /** How it can be run, each with its words in the variant's name and its options: `spin 4k pages`. */
  readonly ways: Readonly<Record<VariantRequest['suite'], readonly Way[]>>;
}

export interface Way {
  readonly name: string;
  readonly options: Readonly<Record<string, string>>;
}

export const SPIN: Way = { name: 'spin', options: { wait: 'spin' } };
export const BLOCK: Way = { name: 'block', options: { wait: 'block' } };

/** The probe of a channel: open loop at 10,000 messages a second, the closed loop beside it. */
export function probeTraffic({ name, what, ways, onlyInFull = false }: Traffic): Probe {
  return {
    name,
    what,
    onlyInFull,
    variants: (request) => listVariants(request, ways[request.suite]),
    report: (run, variant) => reportTraffic(name, run, variant),
  };
}

/** Of a run of hft-probe's traffic.c, whatever the channel. */
export function reportTraffic(name: string, run: ProbeRun, variant: Variant): ProbeReport {
  return {
    probe: name,
    variant: variant.name,
    floor: floorOf(run),
    measures: run.streams.map((stream) => measureOf(name, run, stream)),
    findings: [...commonFindings(run), ...findRate(run), ...findDrops(run), ...findDamage(run), ...findSkew(run)],
  };
}

/** Between the first two CPUs: 64 B there and back says most; the full suite has what else changes the figure. */
function listVariants({ cpus, suite }: VariantRequest, ways: readonly Way[]): readonly Variant[] {
  if (cpus.length < 2) return [];
  const pair = cpus.slice(0, 2);
  const directions = suite === 'quick' ? ['round-trip'] : ['round-trip', 'one-way'];
  const payloads = suite === 'quick' ? [64] : [64, 1024];
  return directions.flatMap((direction) =>
    payloads.flatMap((payload) =>
      ways.map(({ name, options }) => ({
        name: `${direction} ${payload} B ${name}`,
        cpus: pair,
        // The sender waits for the next intended time without sleeping, whatever the receiver does.
        spins: true,
        policy: 'other' as const,
        options: { direction, payload, ...options, rate: RATE_HZ },
      })),
    ),
  );
}

function measureOf(name: string, { meta }: ProbeRun, stream: ProbeStream): Measure {
  const isOpen = stream.name === 'open';
  return {
    name,
    ...aboutPeer(meta),
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

/** What is at the other end, where that is not hft-probe itself. */
function aboutPeer({ part, library, server, pipeline = 1 }: ProbeRun['meta']) {
  const software = server?.name ?? library;
  return {
    ...(part === undefined ? {} : { part }),
    ...(software === undefined ? {} : { software }),
    ...(server && { server: { address: server.address, isOwn: server.isOwn, pipeline } }),
  };
}

/** One message of the last instant may be missing: the run ends at a time, not with a message. */
export function findRate({ meta, result }: ProbeRun): Finding[] {
  const unsent = result.unsent ?? 0;
  if (unsent <= 1) return [];
  const text = `${unsent} messages that were meant to be sent at ${meta.rateHz} a second were not sent before the end: these CPUs cannot keep that rate.`;
  return [invalidating('rate-not-kept', text)];
}

/** What never arrived has no latency, and percentiles of the rest would be better than the truth. */
export function findDrops({ result }: ProbeRun): Finding[] {
  const dropped = result.dropped ?? 0;
  if (dropped === 0) return [];
  const text = `${dropped} of ${result.sent} messages never arrived: the figures are of the others.`;
  return [invalidating('messages-dropped', text)];
}

export function findDamage({ result }: ProbeRun): Finding[] {
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
