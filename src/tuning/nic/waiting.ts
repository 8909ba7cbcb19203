import { type Decision, type NicCase, wish } from './decision.ts';

/** How packets wait: polled or announced by interrupt, and before a full ring. */
export function desireWaiting(nicCase: NicCase): readonly Decision[] {
  return [...desireBusyPoll(nicCase), ...desireTxQueueLength(nicCase)];
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
