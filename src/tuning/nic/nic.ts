import type { PlacedMachine } from '../../layout/layout.ts';
import { listNics, type NicSelection, selectNics } from '../../topology/nic-selection.ts';
import { type Desired, defineDomain, type Refusal } from '../domain.ts';
import { NOT_CAPTURED } from '../knobs/directories.ts';
import type { Decision } from './decision.ts';
import { type Facts, observeNics } from './facts.ts';
import type { NicWanted } from './schema.ts';
import { desireShape } from './shape.ts';
import { desireSteering } from './steering.ts';
import { desireValues } from './values.ts';
import { desireWaiting } from './waiting.ts';
import { desireXdp } from './xdp.ts';

/**
 * The trading NICs: rings, queues, offloads, coalescing, steering, polling. Other NICs are not touched: their
 * interrupts are the irq domain's.
 */
export const nicDomain = defineDomain<NicWanted, Facts>({
  name: 'nic',
  schema: async () => (await import('./schema.ts')).nicWanted,
  observe: observeNics,
  desire(wanted, facts, machine): Desired {
    const { nics, refused } = tradingNics(wanted, facts, machine);
    const decisions = nics.flatMap((nic): readonly Decision[] => {
      const nicCase = { wanted, nic, facts: facts.nics[nic.name], machine };
      return [
        ...desireShape(nicCase),
        ...desireValues(nicCase),
        ...desireXdp(nicCase),
        ...desireSteering(nicCase),
        ...desireWaiting(nicCase),
      ];
    });
    return {
      settings: decisions.filter((decision) => 'tunable' in decision),
      refused: [...refused, ...decisions.filter((decision) => 'reason' in decision)],
    };
  },
});

function tradingNics(
  { trading }: NicWanted,
  { isWhole }: Facts,
  machine: PlacedMachine,
): { nics: NicSelection['nics']; refused: readonly Refusal[] } {
  if (trading === 'none') return { nics: [], refused: [] };
  if (!isWhole && machine.nics.length === 0) {
    return { nics: [], refused: [{ id: 'nic.trading', reason: NOT_CAPTURED, kind: 'unknown' }] };
  }
  if (trading === 'auto' && machine.layout.nic === undefined) {
    const why = machine.layout.nicWhy ?? 'the layout has none';
    const reason = `No trading NIC was found: ${why}. Name one in nic.trading.`;
    return { nics: [], refused: [{ id: 'nic.trading', reason, kind: 'unsupported' }] };
  }
  const selectors = trading === 'auto' ? [machine.layout.nic as string] : trading;
  const { nics, unmatched } = selectNics(selectors, machine.nics);
  const refused = unmatched.map((selector): Refusal => {
    const reason = `No NIC here is ${selector} (NICs: ${listNics(machine.nics)}).`;
    return { id: `nic.trading@${selector}`, reason, kind: 'refused' };
  });
  const taken = nics.flatMap(({ name, taken: by }): readonly Refusal[] => {
    if (by === undefined) return [];
    const reason = `${name} was given to ${by.by} for DPDK: the kernel has no interface of it to tune.`;
    return [{ id: `nic.trading@${name}`, reason, kind: 'unsupported' }];
  });
  return { nics: nics.filter((nic) => nic.taken === undefined), refused: [...refused, ...taken] };
}
