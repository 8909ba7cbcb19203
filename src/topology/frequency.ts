import type { HostReader } from '../host/host.ts';
import { readInteger, readNames, readValue } from './kernel-file.ts';
import { CPU_ROOT } from './present-cpus.ts';

/** CPUs that are set alike. */
export interface FrequencyPolicy {
  readonly cpus: readonly number[];
  readonly driver: string | undefined;
  readonly governor: string | undefined;
  /** Energy performance preference: `performance`, `balance_performance` ... */
  readonly preference: string | undefined;
  readonly minKHz: number | undefined;
  readonly maxKHz: number | undefined;
}

export interface Frequency {
  readonly policies: readonly FrequencyPolicy[];
  /** Turbo may be used; undefined where there is no switch. */
  readonly turbo: boolean | undefined;
  /** intel_pstate or amd_pstate: active, passive, guided, off. */
  readonly pstate: string | undefined;
}

/** https://docs.kernel.org/admin-guide/pm/cpufreq.html. Empty in most virtual machines. */
export async function readFrequency(reader: HostReader): Promise<Frequency> {
  const names = (await readNames(reader, `${CPU_ROOT}/cpufreq`)).filter((name) => /^policy\d+$/.test(name));
  const policies = await Promise.all(names.map((name) => readPolicy(reader, `${CPU_ROOT}/cpufreq/${name}`)));
  const noTurbo = await readInteger(reader, `${CPU_ROOT}/intel_pstate/no_turbo`);
  const boost = await readInteger(reader, `${CPU_ROOT}/cpufreq/boost`);
  return {
    policies: mergeAlike(policies),
    turbo: noTurbo !== undefined ? noTurbo === 0 : boost === undefined ? undefined : boost === 1,
    pstate:
      (await readValue(reader, `${CPU_ROOT}/intel_pstate/status`)) ??
      (await readValue(reader, `${CPU_ROOT}/amd_pstate/status`)),
  };
}

async function readPolicy(reader: HostReader, folder: string): Promise<FrequencyPolicy> {
  return {
    cpus: parseCpus((await readValue(reader, `${folder}/affected_cpus`)) ?? ''),
    driver: await readValue(reader, `${folder}/scaling_driver`),
    governor: await readValue(reader, `${folder}/scaling_governor`),
    preference: await readValue(reader, `${folder}/energy_performance_preference`),
    minKHz: await readInteger(reader, `${folder}/scaling_min_freq`),
    maxKHz: await readInteger(reader, `${folder}/scaling_max_freq`),
  };
}

/** CPUs separated by blanks, unlike every other set of CPUs. */
function parseCpus(text: string): readonly number[] {
  return text
    .split(/\s+/)
    .filter((word) => /^\d+$/.test(word))
    .map(Number);
}

function mergeAlike(policies: readonly FrequencyPolicy[]): readonly FrequencyPolicy[] {
  const merged = new Map<string, FrequencyPolicy>();
  for (const policy of policies) {
    const { cpus, ...settings } = policy;
    const key = JSON.stringify(settings);
    const all = [...(merged.get(key)?.cpus ?? []), ...cpus].sort((left, right) => left - right);
    merged.set(key, { cpus: all, ...settings });
  }
  return [...merged.values()].sort((left, right) => (left.cpus[0] ?? 0) - (right.cpus[0] ?? 0));
}
