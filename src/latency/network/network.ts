import { commonFindings, floorOf } from '../probe/findings.ts';
import {
  exposureOf,
  type Measure,
  type MeasuredPeer,
  type Probe,
  type Variant,
  type VariantRequest,
} from '../probe/probe.ts';
import type { ProbeRun, ProbeStream } from '../probe/run.ts';
import { findRate } from '../probe/traffic.ts';
import { findNetwork } from './findings.ts';
import { type OneWay, proveOneWay } from './one-way.ts';

const RATE_HZ = 10_000;
const NS_PER_S = 1_000_000_000;

/** README.md says what it measures and why. */
export const network: Probe = {
  name: 'network',
  what: 'Messages to another host and back over UDP and TCP, and where their time went',
  onlyInFull: true,
  needs: 'one CPU',
  needsServer:
    'It needs a peer: `hft verify latency --serve --listen ADDRESS` on the other host, and `--peer ADDRESS` here.',
  variants: listVariants,
  report(run, variant) {
    const oneWay = proveOneWay(run);
    return {
      probe: 'network',
      variant: variant.name,
      floor: floorOf(run),
      measures: run.streams
        .filter((stream) => isShown(stream, oneWay))
        .map((stream) => ({ ...measureOf(run, stream), ...peerOf(run, stream, oneWay) })),
      findings: [...commonFindings(run), ...findRate(run), ...findNetwork(run, oneWay)],
    };
  },
};

function listVariants({ cpus, suite, servers, xdp }: VariantRequest): readonly Variant[] {
  const [cpu] = cpus;
  const server = servers?.network;
  if (cpu === undefined || server === undefined) return [];
  const isFull = suite === 'full';
  const payloads = isFull ? [64, 1024] : [64];
  const waits = isFull ? ['spin', 'block'] : ['spin'];
  // Between two messages it waits for the time of the next without sleeping, whatever it does for a reply.
  const same = { cpus: [cpu], spins: true, policy: 'other' as const };
  const through = ['udp', 'tcp'].flatMap((transport) =>
    payloads.flatMap((payload) =>
      waits.map((wait) => ({
        ...same,
        name: `${transport} ${payload} B ${wait} ${server}`,
        options: { transport, payload, wait, rate: RATE_HZ, server },
      })),
    ),
  );
  const past = payloads.map((payload) => ({
    ...same,
    name: `xdp ${payload} B spin ${xdp} ${server}`,
    options: { transport: 'udp', payload, wait: 'spin', rate: RATE_HZ, server, xdp: xdp ?? '' },
  }));
  return xdp === undefined ? through : [...through, ...past];
}

const ONE_WAY = /-(there|back)$/;

/** A part of which nothing is known has no row, and findings say why; one way is a figure only where it is proven. */
function isShown({ name, part, blocks }: ProbeStream, { errorNs }: OneWay): boolean {
  if (name === 'open' || name === 'closed') return true;
  if (part !== undefined && ONE_WAY.test(part) && errorNs === undefined) return false;
  return blocks.some(({ count }) => count > 0);
}

function measureOf(run: ProbeRun, stream: ProbeStream): Measure {
  const { meta } = run;
  const { name, blocks } = stream;
  const isClosed = name === 'closed';
  const isSplit = name === 'part' || name === 'stamped';
  return {
    name: 'network',
    part: partOf(run, stream),
    ...(isSplit && { isSplit }),
    cpus: stream.cpu === undefined ? [] : [stream.cpu],
    direction: directionOf(stream),
    ...(meta.payloadBytes === undefined ? {} : { payloadBytes: meta.payloadBytes }),
    pacing: isClosed || !meta.rateHz ? { kind: 'saturated' } : { kind: 'periodic', periodNs: NS_PER_S / meta.rateHz },
    wait: meta.wait ?? 'spin',
    samples: 'latency',
    rule: isClosed ? 'closed' : 'open',
    blocks,
    exposureNs: exposureOf(blocks),
  };
}

function partOf({ meta }: ProbeRun, { name, part }: ProbeStream): string {
  const transport = meta.part ?? 'udp';
  return part ?? (name === 'stamped' ? `${transport}-stamped` : transport);
}

function directionOf({ name, part = '' }: ProbeStream): Measure['direction'] {
  if (ONE_WAY.test(part)) return 'one-way';
  return name !== 'part' || part.endsWith('wire') ? 'round-trip' : 'none';
}

function peerOf(
  { meta }: ProbeRun,
  { name, part = '' }: ProbeStream,
  { errorNs }: OneWay,
): { readonly peer?: MeasuredPeer } {
  if (meta.network === undefined) return {};
  const { address, peerWait, peerCpu, sameClock, peer } = meta.network;
  const stamped = part.endsWith('card-wire') ? 'card' : 'kernel';
  return {
    peer: {
      address,
      wait: peerWait,
      cpu: peerCpu,
      version: peer.version,
      isSameKernel: sameClock,
      isPastKernel: meta.xdp?.atPeer ?? false,
      timestamps: name === 'part' ? stamped : 'program',
      ...(ONE_WAY.test(part) && errorNs !== undefined && { clockErrorNs: errorNs }),
    },
  };
}
