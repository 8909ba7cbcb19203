import { z } from 'zod';
import { count, cpuSet, durationNs, onOff } from '../../profile/values.ts';

const flags = (of: string) => z.record(z.string().min(1), onOff()).describe(`${of}, on or off, as ethtool names them`);
const entries = () =>
  z.union([count({ min: 1 }), z.literal('max')], 'expected a number of entries, or max (the most that the NIC has)');
const usecs = () => count({ max: 0xffffffff }).optional();

const coalesce = z
  .strictObject({
    'adaptive-rx': onOff().optional().describe('The NIC changes rx-usecs with the traffic'),
    'adaptive-tx': onOff().optional().describe('The NIC changes tx-usecs with the traffic'),
    'rx-usecs': usecs().describe('Microseconds that an interrupt waits for more received packets'),
    'rx-frames': usecs().describe('Received packets that an interrupt waits for'),
    'tx-usecs': usecs().describe('Microseconds that an interrupt waits for more sent packets'),
    'tx-frames': usecs().describe('Sent packets that an interrupt waits for'),
    'rx-usecs-irq': usecs().describe('As rx-usecs, while an interrupt is being served'),
    'tx-usecs-irq': usecs().describe('As tx-usecs, while an interrupt is being served'),
    'cqe-mode-rx': onOff().optional().describe('The receive timer restarts with every completion'),
    'cqe-mode-tx': onOff().optional().describe('The transmit timer restarts with every completion'),
  })
  .describe('Interrupt coalescing (ethtool -C)');

const busyPoll = z
  .strictObject({
    deferHardIrqs: count()
      .optional()
      .describe('Empty polls before the interrupt of a queue is enabled again (napi_defer_hard_irqs)'),
    groFlushTimeoutNs: durationNs()
      .optional()
      .describe('Time between polls while interrupts are deferred (gro_flush_timeout), such as 200us'),
    threaded: onOff().optional().describe('Polling runs in a kernel thread per queue, which can be pinned (threaded)'),
  })
  .describe('Busy polling of the queues of a NIC; busy_read and busy_poll are in network');

const port = () => count({ min: 1, max: 65535 }).optional();
const address = () => z.ipv4('expected an IPv4 address such as 239.1.1.1').optional();

const flow = z
  .strictObject({
    protocol: z.enum(['udp4', 'tcp4', 'ether']).describe('udp4, tcp4, or ether (by the MAC address that it goes to)'),
    destination: address().describe('IPv4 address that it goes to, such as that of a feed'),
    destinationPort: port().describe('UDP or TCP port that it goes to'),
    source: address().describe('IPv4 address that it comes from'),
    sourcePort: port().describe('UDP or TCP port that it comes from'),
    mac: z
      .string()
      .regex(/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/, 'expected a MAC address such as 01:00:5e:01:01:01, in lower case')
      .optional()
      .describe('Of ether: the MAC address that it goes to'),
    queue: count().default(0).describe('Of the queues that are kept for AF_XDP, from 0'),
  })
  .refine(({ protocol, mac, destination, destinationPort, source, sourcePort }) => {
    const hasWords = [destination, destinationPort, source, sourcePort].some((each) => each !== undefined);
    return protocol === 'ether' ? mac !== undefined && !hasWords : mac === undefined && hasWords;
  }, 'expected mac with ether, and addresses or ports with udp4 and tcp4');

const xdp = z
  .strictObject({
    queues: count({ min: 1 }).describe('Receive queues, the last ones, that RSS sends nothing to'),
    zeroCopy: z
      .enum(['required', 'any'])
      .default('any')
      .describe('required: refused where the driver would copy packets, or nobody can tell (before Linux 6.3)'),
    flows: z.array(flow).default([]).describe('What is sent to these queues, by rules in the NIC (ethtool -N)'),
  })
  .describe('Queues for AF_XDP sockets, which no other traffic reaches; how they are polled is in busyPoll');

/** The value of a profile's `nic:` key. What is left out is left alone, and so is every NIC that is not selected. */
export const nicWanted = z
  .strictObject({
    trading: z
      .union([z.enum(['auto', 'none']), z.array(z.string().min(1)).min(1)], 'expected auto, none, or a list of NICs')
      .default('auto')
      .describe('auto (the NIC of the layout), none, or a list of names, driver=NAME, pci=ADDRESS'),
    channels: z
      .union([count({ min: 1 }), z.enum(['max', 'irq'])], 'expected a number of queues, max, or irq (one per irq CPU)')
      .optional()
      .describe('Queues of the NIC: a number, max, or irq (one for each CPU that serves its interrupts)'),
    rings: z
      .union([
        entries(),
        z.strictObject({
          rx: entries().optional().describe('Received packets that the NIC can hold'),
          tx: entries().optional().describe('Packets that wait to be sent'),
        }),
      ])
      .optional()
      .describe('Entries of the rings, or max; a number above what the NIC has is cut to that'),
    mtu: count({ min: 68, max: 65535 }).optional().describe('Largest packet in bytes; has to match the switch'),
    pause: onOff().optional().describe('Flow control by pause frames, negotiation included'),
    privateFlags: z
      .record(z.string(), flags('Private flags'))
      .optional()
      .describe('By driver: its own switches (ethtool --set-priv-flags)'),
    eee: onOff().optional().describe('Energy-efficient Ethernet: the link sleeps between packets'),
    offloads: flags('Features: tso, gso, gro, lro, ntuple, rxhash …').optional(),
    coalesce: coalesce.optional(),
    rss: z
      .union(
        [count({ min: 1 }), z.literal('all'), z.array(count()).min(1)],
        'expected a number of queues, all, or a list of weights',
      )
      .optional()
      .describe('Receive queues that flows are spread over: the first N, all, or a list of weights'),
    rps: cpuSet()
      .optional()
      .describe('CPUs that packets are handed to after the interrupt (rps_cpus); none: handled where they arrive'),
    rfs: count({ max: 2 ** 24 })
      .optional()
      .describe('Flow entries for each receive queue (rps_flow_cnt); needs rps_sock_flow_entries in network; 0: off'),
    xps: z
      .enum(['none', 'spread'])
      .optional()
      .describe('spread: isolated CPUs send through queues of their own (xps_cpus); none: by hash'),
    busyPoll: busyPoll.optional(),
    xdp: xdp.optional(),
    txqueuelen: count({ min: 1, max: 2 ** 31 - 1 })
      .optional()
      .describe('Packets that may wait for the NIC'),
    qdisc: z
      .string()
      .regex(/^[a-z0-9_]+$/, 'expected a name such as fq or noqueue')
      .optional()
      .describe('Root queueing discipline'),
  })
  .describe('Rings, queues, offloads and polling of the trading NICs');

export type NicWanted = z.output<typeof nicWanted>;
export type XdpWanted = z.output<typeof xdp>;
