import type { PlacedMachine } from '../../layout/layout.ts';
import type { Nic } from '../../topology/machine.ts';
import type { Shown } from '../../tunables/ethtool/query.ts';
import type { EthtoolGroup, Tunable } from '../../tunables/tunable.ts';
import type { Disruption, Refusal, Setting, Stage } from '../domain.ts';
import type { NicFacts } from './facts.ts';
import type { NicWanted } from './schema.ts';

/** A wish for one place, or why there is none. */
export type Decision = Setting | Refusal;

/** What the decisions about one NIC are made from. */
export interface NicCase {
  readonly wanted: NicWanted;
  readonly nic: Nic;
  readonly facts: NicFacts | undefined;
  readonly machine: PlacedMachine;
}

interface Wish {
  /** `mtu`, or `rps@rx-0` for one queue. */
  readonly name: string;
  readonly tunable: Tunable;
  readonly value: string;
  readonly why: string;
  readonly stage?: Stage;
  readonly disruption?: Disruption;
}

/**
 * A setting of a NIC. Drivers round, refuse and leave out as they like, and tell nobody before: what one refuses is
 * reported and the rest goes on. Every one names the interface, so that a session on it is guarded.
 */
export function wish(nic: Nic, { name, tunable, value, why, stage = 'values', disruption = 'none' }: Wish): Setting {
  const [setting, queue] = name.split('@');
  return {
    id: `nic.${setting}@${nic.name}${queue === undefined ? '' : `/${queue}`}`,
    stage,
    tunable,
    value,
    why,
    ifRefused: 'skip',
    disruption,
    interface: nic.name,
  };
}

export function refuse(nic: Nic, name: string, reason: string, kind: Refusal['kind'] = 'unsupported'): Refusal {
  return { id: `nic.${name}@${nic.name}`, reason, kind };
}

/** For what ethtool did not tell: the driver has no such thing, or nobody knows (no ethtool, not captured, no right). */
export function refuseUntold(nic: Nic, name: string, shown: Shown<unknown> | undefined): Refusal {
  if (shown === undefined) return refuse(nic, name, 'A virtual interface has no hardware of its own.');
  if (shown.ok) return refuse(nic, name, 'The driver does not say how much it can.');
  return refuse(nic, name, shown.reading.evidence, shown.reading.status === 'unreadable' ? 'unknown' : 'unsupported');
}

export function ethtool(nic: Nic, group: EthtoolGroup, key: string): Tunable {
  return { kind: 'ethtool', device: nic.name, group, key };
}

export function toggle(isOn: boolean): 'on' | 'off' {
  return isOn ? 'on' : 'off';
}
