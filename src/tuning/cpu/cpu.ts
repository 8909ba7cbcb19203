import type { PlacedMachine } from '../../layout/layout.ts';
import { type Desired, defineDomain } from '../domain.ts';
import { CPU, type CpuFacts, observeCpus } from './facts.ts';
import { desireFrequencies, desireMinPerfPct, desireTurbo, desireUncore } from './frequency.ts';
import { desireSleep } from './idle.ts';
import { listRoles, setFile } from './role.ts';
import type { CpuWanted, RoleWanted } from './schema.ts';

const NOTHING: Desired = { settings: [], refused: [] };

/** Frequency, sleep and hardware threads. https://docs.kernel.org/admin-guide/pm/working-state.html */
export const cpuDomain = defineDomain<CpuWanted, CpuFacts>({
  name: 'cpu',
  schema: async () => (await import('./schema.ts')).cpuWanted,
  observe: observeCpus,
  desire(wanted, facts, machine) {
    const parts = [
      wanted.smt === undefined ? NOTHING : desireSmt(wanted.smt, machine),
      desireOffline(machine),
      wanted.turbo === undefined ? NOTHING : desireTurbo(wanted.turbo, facts),
      wanted.min_perf_pct === undefined ? NOTHING : desireMinPerfPct(wanted.min_perf_pct, facts),
      wanted.uncore === undefined ? NOTHING : desireUncore(wanted.uncore, facts),
      ...listRoles(machine.layout).flatMap((role) => {
        const part: RoleWanted | undefined = wanted[role.name];
        if (part === undefined || role.cpus.length === 0) return [];
        return [desireFrequencies(role, part, facts), desireSleep(role, part, { facts, machine })];
      }),
    ];
    return withoutRepetition(parts);
  },
});

/** https://docs.kernel.org/admin-guide/hw-vuln/l1tf.html#smt-control */
function desireSmt(isWanted: boolean, machine: PlacedMachine): Desired {
  const { control } = machine.topology.smt;
  const id = 'cpu.smt@machine';
  if (control !== 'on' && control !== 'off') {
    const state = control === undefined ? `${CPU}/smt/control is not there` : `the kernel says ${control}`;
    const reason = `Hardware threads cannot be switched here: ${state}.`;
    return { settings: [], refused: [{ id, kind: 'unsupported', reason }] };
  }
  const why = isWanted
    ? 'All hardware threads are used.'
    : 'Two hardware threads share one core and slow each other down.';
  const value = isWanted ? 'on' : 'off';
  const setting = setFile({ id, path: `${CPU}/smt/control`, value, format: 'word', why, stage: 'shape' });
  return { settings: [setting], refused: [] };
}

/** The other hardware threads of isolated cores, which the layout wants offline. */
function desireOffline(machine: PlacedMachine): Desired {
  const why = 'It is the second hardware thread of an isolated core: what ran here would slow the trading thread down.';
  const settings = (machine.layout.offline ?? []).map((cpu) =>
    setFile({
      id: `cpu.online@cpu${cpu}`,
      path: `${CPU}/cpu${cpu}/online`,
      value: '0',
      format: 'integer',
      why,
      stage: 'shape',
    }),
  );
  return { settings, refused: [] };
}

/** CPUs of two roles can share a clock (a policy): the first wish counts, which is that of the isolated CPUs. */
function withoutRepetition(parts: readonly Desired[]): Desired {
  const seen = new Set<string>();
  const settings = parts
    .flatMap((part) => part.settings)
    .filter(({ id }) => {
      const isNew = !seen.has(id);
      seen.add(id);
      return isNew;
    });
  return { settings, refused: parts.flatMap((part) => part.refused) };
}
