import type { PlacedMachine } from '../../layout/layout.ts';
import type { Desired, Refusal, Setting } from '../domain.ts';
import { CPU, type CpuFacts } from './facts.ts';
import { type RoleCpus, refuseAbsent, setFile } from './role.ts';
import type { RoleWanted } from './schema.ts';

const NO_CPUIDLE = 'This machine has no cpuidle driver: firmware, hypervisor or idle=poll decide how its CPUs sleep.';
const NO_RESUME_LATENCY = 'CPUs have no power/pm_qos_resume_latency_us here. It needs CONFIG_PM.';
const NO_BIAS = 'Only Intel CPUs have energy_perf_bias, and hypervisors hide it.';

/**
 * What the hardware prefers and how deep CPUs of a role may sleep. In pm_qos_resume_latency_us the word `n/a` means that no latency is acceptable, so
 * the CPU polls; 0 means that any is. https://docs.kernel.org/admin-guide/pm/cpuidle.html#power-management-quality-of-service-for-cpus
 */
export function desireSleep(
  role: RoleCpus,
  wanted: RoleWanted,
  { facts, machine }: { facts: CpuFacts; machine: PlacedMachine },
): Desired {
  const settings: Setting[] = [];
  const refused: Refusal[] = [];
  if (wanted.energy_perf_bias !== undefined) {
    if (facts.hasEnergyPerfBias)
      settings.push(...role.cpus.map((cpu) => biasSetting(cpu, wanted.energy_perf_bias as number)));
    else refused.push(refuseAbsent(`cpu.energy_perf_bias@${role.name}`, NO_BIAS, facts));
  }
  if (wanted.resumeLatency !== undefined) {
    const id = `cpu.resume_latency@${role.name}`;
    if (facts.idleDriver === undefined) refused.push(refuseAbsent(id, NO_CPUIDLE, facts));
    else if (!facts.hasResumeLatency) refused.push(refuseAbsent(id, NO_RESUME_LATENCY, facts));
    else settings.push(...role.cpus.map((cpu) => latencySetting(cpu, wanted.resumeLatency as string | number)));
  }
  for (const name of wanted.idleStatesOff ?? []) {
    const id = `cpu.idle_state@${role.name}/${name}`;
    if (facts.idleDriver === undefined) refused.push(refuseAbsent(id, NO_CPUIDLE, facts));
    else {
      const found = role.cpus.flatMap((cpu) => stateSettings(cpu, name, { facts, machine }));
      settings.push(...found);
      if (found.length === 0 && role.cpus.length > 0) refused.push(noSuchState(id, name, facts));
    }
  }
  return { settings, refused };
}

/** https://docs.kernel.org/admin-guide/pm/intel_epb.html */
function biasSetting(cpu: number, bias: number): Setting {
  const why = 'A hint to the CPU whether it leans to speed (0) or to saving (15) where the hardware decides by itself.';
  const path = `${CPU}/cpu${cpu}/power/energy_perf_bias`;
  return setFile({ id: `cpu.energy_perf_bias@cpu${cpu}`, path, value: String(bias), format: 'integer', why });
}

function latencySetting(cpu: number, latency: string | number): Setting {
  const value = latency === 'poll' ? 'n/a' : latency === 'any' ? '0' : String(latency);
  const why =
    latency === 'poll'
      ? 'A CPU that never sleeps never has to wake. It takes power and, with SMT, cycles of its sibling.'
      : latency === 'any'
        ? 'This CPU may sleep as deep as it likes: heat and power stay for those that trade.'
        : 'The CPU uses only sleep states that it leaves within this time.';
  const path = `${CPU}/cpu${cpu}/power/pm_qos_resume_latency_us`;
  return setFile({ id: `cpu.resume_latency@cpu${cpu}`, path, value, format: 'word', why });
}

function stateSettings(
  cpu: number,
  name: string,
  { facts, machine }: { facts: CpuFacts; machine: PlacedMachine },
): readonly Setting[] {
  const kind = machine.topology.cpus.find((candidate) => candidate.cpu === cpu)?.coreType ?? 'any';
  const states = (facts.idleStates[kind] ?? []).filter((state) => state.name === name);
  return states.map(({ state }) =>
    setFile({
      id: `cpu.idle_state@cpu${cpu}/${name}`,
      path: `${CPU}/cpu${cpu}/cpuidle/state${state}/disable`,
      value: '1',
      format: 'integer',
      why: `Waking from ${name} takes longer than this CPU may wait.`,
    }),
  );
}

function noSuchState(id: string, name: string, facts: CpuFacts): Refusal {
  const known = [...new Set(Object.values(facts.idleStates).flatMap((states) => states.map((state) => state.name)))];
  return {
    id,
    kind: 'unsupported',
    reason: `The driver ${facts.idleDriver} has no idle state ${name} (it has: ${known.join(', ')}).`,
  };
}
