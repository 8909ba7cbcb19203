import { type Decision, type NicCase, refuse, wish } from './decision.ts';

/** How packets wait: polled or announced by interrupt, and queued before the NIC. */
export function desireWaiting(nicCase: NicCase): readonly Decision[] {
  return [...desireBusyPoll(nicCase), ...desireTxQueueLength(nicCase), ...desireQdisc(nicCase)];
}

/** https://docs.kernel.org/networking/napi.html */
function desireBusyPoll({ wanted, nic }: NicCase): readonly Decision[] {
  const { deferHardIrqs, groFlushTimeoutNs, threaded } = wanted.busyPoll ?? {};
  const files = [
    [
      'napi_defer_hard_irqs',
      deferHardIrqs,
      'A polling reader finds packets itself; interrupts stay off while it keeps polling.',
    ],
    [
      'gro_flush_timeout',
      groFlushTimeoutNs,
      'The kernel polls by itself after this time when a reader that polled stops.',
    ],
    [
      'threaded',
      threaded === undefined ? undefined : Number(threaded),
      'Kernel threads poll the queues, and can be pinned and given a priority.',
    ],
  ] as const;
  return files.flatMap(([file, value, why]) => {
    if (value === undefined) return [];
    const path = `/sys/class/net/${nic.name}/${file}`;
    return [wish(nic, { name: file, tunable: { kind: 'file', path, format: 'integer' }, value: String(value), why })];
  });
}

function desireTxQueueLength({ wanted, nic }: NicCase): readonly Decision[] {
  if (wanted.txqueuelen === undefined) return [];
  const tunable = { kind: 'link', device: nic.name, attribute: 'txqueuelen' } as const;
  const why = 'How many packets may wait before the NIC when its ring is full.';
  return [wish(nic, { name: 'txqueuelen', tunable, value: String(wanted.txqueuelen), why })];
}

/** A discipline that somebody configured has options that hft could not put back. */
function desireQdisc({ wanted, nic, facts }: NicCase): readonly Decision[] {
  const { qdisc } = wanted;
  if (qdisc === undefined) return [];
  const now = facts?.qdisc;
  if (now !== undefined && !now.isDefault && now.kind !== qdisc) {
    const reason =
      `${nic.name} has a root qdisc ${now.kind} that was configured by hand, and its options could not be put back. ` +
      `Remove it first: tc qdisc del dev ${nic.name} root.`;
    return [refuse(nic, 'qdisc', reason, 'conflict')];
  }
  const tunable = { kind: 'link', device: nic.name, attribute: 'qdisc' } as const;
  const why = 'What orders and delays packets before the NIC; nothing at all is fastest where the ring never fills.';
  return [wish(nic, { name: 'qdisc', tunable, value: qdisc, why })];
}
