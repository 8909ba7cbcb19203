import type { ResponderClient } from '../latency/probe/respond.ts';
import { printCpulist } from '../topology/cpulist.ts';

interface Place {
  readonly listen: string;
  readonly cpus: readonly number[];
  readonly wait: 'spin' | 'block';
  /** Why it must not spin. */
  readonly why?: string | undefined;
}

const LOOPBACK = /^(127\.|\[::1\])/;

/** What a person must know who leaves it running. */
export function viewListening({ listen, cpus, wait, why }: Place): string {
  const which = cpus.length === 1 ? 'CPU' : 'CPUs';
  const reach = LOOPBACK.test(listen)
    ? 'for this host alone: `--listen ADDRESS`, such as that of the trading network, opens it to others'
    : 'for whoever can reach that address';
  const how =
    wait === 'spin'
      ? 'which it keeps busy while somebody is measured who asks for that'
      : 'where it sleeps until a message comes';
  return [
    `Listens on ${listen}, TCP and UDP, ${reach}.`,
    `Answers on ${which} ${printCpulist(cpus)}, ${how}${why === undefined ? '' : `: ${why}`}`.replace(/\.?$/, '.'),
    'Ctrl-C ends it.',
  ].join('\n');
}

const ENDS: Readonly<Record<ResponderClient['end'], string>> = {
  done: 'to its end',
  closed: 'until it went without a word',
  idle: 'until it was silent for too long',
  nonsense: 'until it said what no probe says',
  stopped: 'until it was ended here',
};

const COUNTS = {
  repeated: 'repeated',
  reordered: 'reordered',
  damaged: 'damaged',
  overflowed: 'lost here at a full buffer',
  strangers: "of strangers' left out",
};

/** One line for a client that has gone. */
export function viewClient(client: Omit<ResponderClient, 'event'>): string {
  const { address, payloadBytes, cpu, wait, seconds, received, replied, end } = client;
  const transport = client.xdp ? 'xdp' : client.transport;
  const more = (['repeated', 'reordered', 'damaged', 'overflowed', 'strangers'] as const)
    .filter((name) => client[name] > 0)
    .map((name) => `, ${client[name]} ${COUNTS[name]}`)
    .join('');
  return `${address}  ${transport} ${payloadBytes} B  CPU ${cpu} ${wait}  ${seconds.toFixed(1)} s ${ENDS[end]}: ${received} came, ${replied} answered${more}`;
}

/** The last line. */
export function viewServed({
  clients,
  strangers,
  refused,
}: {
  clients: readonly unknown[];
  strangers: number;
  refused: number;
}): string {
  const others =
    strangers + refused === 0 ? '' : ` Unanswered: ${strangers} datagrams and ${refused} connections of strangers.`;
  return `Ended after ${clients.length === 1 ? '1 client' : `${clients.length} clients`}.${others}`;
}
