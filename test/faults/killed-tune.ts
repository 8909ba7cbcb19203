import type { Wanted } from '../../src/engine/scope.ts';
import { makePciRig } from './pci-machine.ts';
import { recoverRig, stateOf, tuneRig } from './rig.ts';

export interface Kill {
  /** Which write it is killed at, and whether that write is made. */
  readonly at: number;
  readonly effect: 'die-before' | 'die-after';
  /** The write at which the recovery is killed too; undefined: it is not. */
  readonly second: number | undefined;
}

/** A tune that is killed, and the recovery after it: the machine before and after, and what the recovery says of itself. */
export async function recoverKilled(wanted: Wanted, { at, effect, second }: Kill) {
  const rig = makePciRig();
  const before = stateOf(rig);
  rig.host.faults = [{ at, effect }];
  const outcome = await tuneRig(rig, { wanted });
  const { complete } = await recoverRig(rig, second);
  return { outcome, before, complete, after: stateOf(rig) };
}
