import { type Decision, type NicCase, refuse, wish } from './decision.ts';

/**
 * A discipline that somebody configured has options that hft could not put back.
 * Before the queues and the MTU, so that it is undone after them: what the kernel attaches by itself is made for the
 * queues and the MTU of that moment.
 */
export function desireQdisc({ wanted, nic, facts }: NicCase): readonly Decision[] {
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
  return [wish(nic, { name: 'qdisc', tunable, value: qdisc, why, stage: 'shape' })];
}
