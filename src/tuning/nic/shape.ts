import { resolveCpuSet } from '../../layout/cpu-set.ts';
import { localTo } from '../../topology/nic-node.ts';
import { type Decision, ethtool, type NicCase, refuse, refuseUntold, toggle, wish } from './decision.ts';
import { desireQdisc } from './qdisc.ts';

/**
 * What most drivers stop and start the link for, in the order that keeps the later ones: `ethtool -L` resets the
 * interrupts' affinities, a new ring size forgets nothing. Pause comes first: a driver of Intel's that resets for the
 * others comes up with it, but one whose link is still coming up when it is set takes what the link partner offers.
 */
export function desireShape(nicCase: NicCase): readonly Decision[] {
  return [
    ...desireQdisc(nicCase),
    ...desirePause(nicCase),
    ...desireChannels(nicCase),
    ...desireRings(nicCase),
    ...desireMtu(nicCase),
    ...desirePrivateFlags(nicCase),
    ...desireEee(nicCase),
  ];
}

const SHAPE = { stage: 'shape', disruption: 'link' } as const;

/** Combined queues where the driver has them; otherwise as many of each direction. */
function desireChannels({ wanted, nic, facts, machine }: NicCase): readonly Decision[] {
  const { channels } = wanted;
  if (channels === undefined) return [];
  if (!facts?.channels.ok) return [refuseUntold(nic, 'channels', facts?.channels)];
  const { output } = facts.channels;
  const keys = (output.get('combined')?.max ?? 0) > 0 ? ['combined'] : ['rx', 'tx'];
  const serving = localTo(nic, resolveCpuSet('irq', machine), machine.topology).length;
  const count = channels === 'irq' ? serving : channels;
  return keys.flatMap((key): readonly Decision[] => {
    const max = output.get(key)?.max;
    if (max === undefined || max === 0)
      return [refuse(nic, `channels-${key}`, `${nic.name} has a fixed number of queues.`)];
    return [
      wish(nic, {
        name: `channels-${key}`,
        tunable: ethtool(nic, 'channels', key),
        value: String(count === 'max' ? max : Math.min(count, max)),
        why: `${CHANNELS_WHY}${count !== 'max' && count > max ? ` The NIC has at most ${max}.` : ''}`,
        ...SHAPE,
      }),
    ];
  });
}

const CHANNELS_WHY = 'One queue for each CPU that serves the NIC: more queues than CPUs share them and add interrupts.';

function desireRings({ wanted, nic, facts }: NicCase): readonly Decision[] {
  const { rings } = wanted;
  if (rings === undefined) return [];
  const sizes = typeof rings === 'object' ? rings : { rx: rings, tx: rings };
  return (['rx', 'tx'] as const).flatMap((key): readonly Decision[] => {
    const size = sizes[key];
    if (size === undefined) return [];
    const max = facts?.rings.ok ? facts.rings.output.get(key)?.max : undefined;
    if (size === 'max' && max === undefined) return [refuseUntold(nic, `ring-${key}`, facts?.rings)];
    const entries = max === undefined ? size : Math.min(size === 'max' ? max : size, max);
    const cut =
      typeof size === 'number' && max !== undefined && size > max ? ` The NIC has at most ${max} entries.` : '';
    const why = `${key === 'rx' ? RX_RING_WHY : TX_RING_WHY}${cut}`;
    return [
      wish(nic, { name: `ring-${key}`, tunable: ethtool(nic, 'ring', key), value: String(entries), why, ...SHAPE }),
    ];
  });
}

const RX_RING_WHY = 'A long ring takes a burst without drops while a reader lags; a short one stays in the cache.';
const TX_RING_WHY = 'A long ring takes a burst of orders without the qdisc; a short one bounds the wait in the NIC.';

function desireMtu({ wanted, nic, facts }: NicCase): readonly Decision[] {
  const { mtu } = wanted;
  if (mtu === undefined) return [];
  if (facts?.maxMtu !== undefined && mtu > facts.maxMtu) {
    return [refuse(nic, 'mtu', `The driver takes at most ${facts.maxMtu} bytes, the profile asks for ${mtu}.`)];
  }
  if (facts?.master !== undefined) {
    const { master } = facts;
    const reason = `${nic.name} is a part of ${master}, which sets the MTU of its parts: name that in nic.trading.`;
    return [refuse(nic, 'mtu', reason, 'conflict')];
  }
  const why =
    'Large packets cost less for each byte and more for each packet; every switch on the way has to take them.';
  return [
    wish(nic, {
      name: 'mtu',
      tunable: { kind: 'link', device: nic.name, attribute: 'mtu' },
      value: String(mtu),
      why,
      ...SHAPE,
    }),
  ];
}

function desirePause({ wanted, nic }: NicCase): readonly Decision[] {
  if (wanted.pause === undefined) return [];
  const value = toggle(wanted.pause);
  const why = 'A pause frame from the other side stops the sender for microseconds, orders included.';
  return (['autoneg', 'rx', 'tx'] as const).map((key) =>
    wish(nic, { name: `pause-${key}`, tunable: ethtool(nic, 'pause', key), value, why, ...SHAPE }),
  );
}

function desirePrivateFlags({ wanted, nic }: NicCase): readonly Decision[] {
  const flags = Object.entries(wanted.privateFlags?.[nic.driver ?? ''] ?? {});
  const why = `A switch of the driver ${nic.driver} that costs or saves latency.`;
  return flags.map(([flag, isOn]) =>
    wish(nic, {
      name: `flag-${flag}`,
      tunable: ethtool(nic, 'private-flag', flag),
      value: toggle(isOn),
      why,
      ...SHAPE,
    }),
  );
}

function desireEee({ wanted, nic }: NicCase): readonly Decision[] {
  if (wanted.eee === undefined) return [];
  const why = 'A link that sleeps between packets takes microseconds to wake.';
  return [wish(nic, { name: 'eee', tunable: ethtool(nic, 'eee', 'eee'), value: toggle(wanted.eee), why, ...SHAPE })];
}
