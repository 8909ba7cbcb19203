import type { PortStats, Telemetry } from './telemetry.ts';
import { findEalErrors, parseForwarded } from './testpmd-text.ts';
import { BURST, type TrafficRun } from './traffic-script.ts';

/** How a run of testpmd ended, as it was seen from outside. */
export interface TrafficEnd {
  readonly exitCode: number;
  /** What hft-probe printed, parsed; undefined when it was no telemetry. */
  readonly telemetry: Telemetry | undefined;
  /** What testpmd said. */
  readonly said: string;
}

export interface TrafficVerdict {
  readonly status: 'pass' | 'fail' | 'unknown';
  readonly expected: string;
  readonly actual: string;
  readonly evidence: string;
}

/**
 * Whether everything that was sent arrived. What a driver says it dropped proves nothing: af_packet drops without counting. Without
 * counters there is no pass, whatever the exit code.
 */
export function judgeTraffic(run: TrafficRun, { exitCode, telemetry, said }: TrafficEnd): TrafficVerdict {
  const ports = run.over === 'pci' ? run.ports.length : 2;
  const expected = 'all packets that were sent, received';
  const errors = findEalErrors(said);
  if (telemetry === undefined || telemetry.stats.length !== ports) {
    const found = telemetry === undefined ? 'no counters' : `${telemetry.stats.length} of ${ports} ports`;
    const why = errors.length > 0 ? errors.join('; ') : lastLine(said);
    return { status: 'fail', expected, actual: found, evidence: `dpdk-testpmd ended with ${exitCode}: ${why}` };
  }
  const { version, stats } = telemetry;
  const forwarded = parseForwarded(said).reduce((sum, each) => sum + each.received, 0);
  const evidence = `${version}, telemetry: ${stats.map(describePort).join('; ')}. testpmd itself counted ${forwarded} received.`;
  const [first, second] = stats as readonly [PortStats, PortStats?];
  if (stats.some(({ opackets }) => opackets === 0))
    return { status: 'fail', expected, actual: 'nothing was sent', evidence };
  if (second === undefined) {
    const alone = 'Give the port that it is wired to with a second --port to know what arrives.';
    return {
      status: 'unknown',
      expected,
      actual: `${first.opackets} sent by one port`,
      evidence: `${evidence} ${alone}`,
    };
  }
  const given = { expected, evidence, forwarded };
  return run.over === 'net_null' ? judgeNull(run, [first, second], given) : judgePair([first, second], given);
}

interface Given {
  readonly expected: string;
  readonly evidence: string;
  /** What testpmd says that it received to forward. */
  readonly forwarded: number;
}

/**
 * net_null makes what it receives and forgets what it sends: all that testpmd took to forward, and its first bursts, must have been
 * sent on. The port counts more received: testpmd empties the queues before it starts.
 */
function judgeNull({ bursts }: TrafficRun, stats: readonly PortStats[], given: Given): TrafficVerdict {
  const sent = stats.reduce((total, port) => total + port.opackets, 0);
  const wanted = given.forwarded + stats.length * bursts * BURST;
  const isRight = given.forwarded > 0 && sent === wanted;
  const { evidence } = given;
  return { status: isRight ? 'pass' : 'fail', expected: `${wanted} sent on`, actual: `${sent} sent on`, evidence };
}

function judgePair([left, right]: readonly [PortStats, PortStats], { expected, evidence }: Given): TrafficVerdict {
  const ways = [
    { sent: left.opackets, received: right.ipackets, missed: right.imissed },
    { sent: right.opackets, received: left.ipackets, missed: left.imissed },
  ];
  const sent = ways.reduce((sum, way) => sum + way.sent, 0);
  const lost = ways.reduce((sum, way) => sum + Math.max(0, way.sent - way.received), 0);
  const missed = ways.reduce((sum, way) => sum + way.missed, 0);
  if (lost > 0) {
    const silent = Math.max(0, lost - missed);
    const share = ((100 * lost) / sent).toFixed(2);
    const actual = `${lost} of ${sent} lost (${share}%), ${silent} of them counted nowhere`;
    return { status: 'fail', expected, actual, evidence };
  }
  if (ways.some((way) => way.received > way.sent)) {
    const actual = 'more was received than sent';
    return {
      status: 'unknown',
      expected,
      actual,
      evidence: `${evidence} Somebody else sends to these ports: wire them to each other alone.`,
    };
  }
  return { status: 'pass', expected, actual: `${sent} sent, ${sent} received`, evidence };
}

function describePort({ opackets, ipackets, imissed, ierrors, oerrors, rxNombuf }: PortStats, port: number): string {
  const troubles = Object.entries({
    missed: imissed,
    'receive errors': ierrors,
    'send errors': oerrors,
    'without buffer': rxNombuf,
  });
  const seen = troubles.filter(([, count]) => count > 0).map(([name, count]) => `, ${count} ${name}`);
  return `port ${port} sent ${opackets}, received ${ipackets}${seen.join('')}`;
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1)?.trim() || 'it said nothing';
}
