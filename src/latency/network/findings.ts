import { finding, invalidating } from '../probe/findings.ts';
import type { Finding } from '../probe/probe.ts';
import type { ProbeRun } from '../probe/run.ts';
import type { OneWay } from './one-way.ts';

/** What is to be known of a run over a network beside its figures. */
export function findNetwork(run: ProbeRun, oneWay: OneWay): Finding[] {
  return [
    ...findKernel(run),
    ...findLoss(run),
    ...findDisorder(run),
    ...findDamage(run),
    ...findPeer(run),
    ...findStamps(run),
    ...findOneWay(oneWay),
  ];
}

function findKernel({ meta }: ProbeRun): Finding[] {
  if (!meta.network?.sameClock) return [];
  return [
    finding('same-kernel', `The peer ${meta.network.address} is on this kernel: no network between hosts is in this.`),
  ];
}

/** What never came back has no latency, and percentiles of the rest would be better than the truth. */
function findLoss({ result }: ProbeRun): Finding[] {
  const { dropped = 0, sent = 0, late = 0 } = result;
  if (dropped === 0) return [];
  const behind = late === 0 ? '' : ` ${late} of these came too late to count.`;
  return [
    invalidating(
      'messages-dropped',
      `${dropped} of ${sent} messages did not come back: the figures are of the others.${sayWhere(result)}${behind}`,
    ),
  ];
}

/** The peer counts all, the warm-up too, and so does the other number here. */
function sayWhere({ peerTally: tally, overflowed = 0 }: ProbeRun['result']): string {
  if (tally === undefined) return ' On which way is not known: the peer did not say what it counted.';
  const there = tally.sent - tally.received - tally.damaged;
  const back = tally.replied - tally.answered;
  const full = [
    ...(overflowed > 0 ? [`${overflowed} here`] : []),
    ...(tally.overflowed > 0 ? [`${tally.overflowed} at the peer`] : []),
  ];
  const where = full.length === 0 ? '' : ` Not in the network but at the full buffer of a socket: ${full.join(', ')}.`;
  return ` With the warm-up ${there} were lost on the way there and ${back} on the way back.${where}`;
}

function findDisorder({ result }: ProbeRun): Finding[] {
  const there = result.peerTally?.reordered ?? 0;
  const { reordered = 0, repeated = 0 } = result;
  const copies = repeated + (result.peerTally?.repeated ?? 0);
  const found: Finding[] = [];
  if (reordered + there > 0) {
    const text = `${reordered} replies came back after one that was sent later; ${there} requests had arrived so at the peer.`;
    found.push(finding('messages-reordered', text));
  }
  if (copies > 0)
    found.push(finding('messages-repeated', `${copies} messages came more than once; the first counted.`));
  return found;
}

function findDamage({ result }: ProbeRun): Finding[] {
  const damaged = (result.damaged ?? 0) + (result.peerTally?.damaged ?? 0);
  if (damaged === 0) return [];
  return [invalidating('messages-damaged', `${damaged} messages did not arrive as they were sent.`)];
}

function findPeer({ meta, result }: ProbeRun): Finding[] {
  const found: Finding[] = [];
  if (meta.wait === 'spin' && meta.network?.peerWait === 'block') {
    const text = 'The peer sleeps until a message comes, whoever asks: its waking up is in these figures.';
    found.push(finding('peer-waits', text));
  }
  const strangers = (result.strangers ?? 0) + (result.peerTally?.strangers ?? 0);
  if (strangers > 0) found.push(finding('strangers', `${strangers} datagrams of others came and were left out.`));
  if (result.peerTally === undefined) {
    const text = 'The peer did not say at the end what it counted.';
    found.push(finding('peer-silent', text));
  }
  return found;
}

/** Why there is no split, or not of all, or not by the cards. */
function findStamps({ meta, result }: ProbeRun): Finding[] {
  if (meta.network === undefined) return [];
  if (meta.xdp !== undefined) return [finding('past-kernel', sayPast(meta.xdp))];
  const { stamps, here, peer } = meta.network;
  const { stamped = 0, splitTrips = 0, incoherent = 0 } = result;
  const found: Finding[] = [];
  if (!stamps)
    found.push(finding('stamps-missing', 'This kernel has no timestamps of packets: the time is not split.'));
  else if (stamped > 0 && splitTrips === 0) {
    const text = `None of ${stamped} messages has all stamps: ${here.card} or the peer's ${peer.card} has none when it sends.`;
    found.push(finding('stamps-missing', text));
  }
  if (incoherent > 0) {
    const text = `The stamps of ${incoherent} of ${splitTrips} messages contradict each other (a clock was set); their parts are left out.`;
    found.push(finding('clock-set', text));
  }
  const missing = [
    ...(here.hasHardware ? [] : [`here: ${here.whyNoHardware}`]),
    ...(peer.hasHardware ? [] : [`at the peer: ${peer.whyNoHardware}`]),
  ];
  if (missing.length > 0) {
    found.push(finding('card-stamps', `Times of the network cards: unsupported (${missing.join('; ')}).`));
  }
  return found;
}

function sayPast(xdp: NonNullable<ProbeRun['meta']['xdp']>): string {
  const atPeer = xdp.atPeer ? 'so did the peer' : 'at the peer through its kernel';
  return (
    `Here the messages went past the kernel's stack, through AF_XDP on ${xdp.interface} (generic XDP, copied); ${atPeer}. ` +
    'There are no stamps of it: the time is not split.'
  );
}

function findOneWay({ errorNs, why }: OneWay): Finding[] {
  if (why === undefined) return [];
  return [finding(errorNs === undefined ? 'one-way-unproven' : 'one-way', why)];
}
