import { type Desired, defineDomain } from '../domain.ts';
import { desireBootIsolation } from './boot-method.ts';
import { type IsolationFacts, observeIsolation } from './facts.ts';
import { desirePartition } from './partition-method.ts';
import type { Isolation } from './schema.ts';

/** Keeps everything but the trading threads off the isolated CPUs: by kernel arguments, or by a cpuset partition. */
export const isolationDomain = defineDomain<Isolation, IsolationFacts>({
  name: 'isolation',
  schema: async () => (await import('./schema.ts')).isolation,
  observe: (host, _machine, wanted) => observeIsolation(host, wanted),
  desire(wanted, facts, machine): Desired {
    if (wanted.method === 'none') return { settings: [], refused: [] };
    if (machine.layout.isolated.length === 0) {
      const reason = 'The layout has no isolated CPUs, so there is nothing to isolate. `hft profile explain` says why.';
      return { settings: [], refused: [{ id: `isolation.${wanted.method}`, reason, kind: 'refused' }] };
    }
    return wanted.method === 'boot' ? desireBootIsolation(wanted, facts, machine) : desirePartition(facts, machine);
  },
});
