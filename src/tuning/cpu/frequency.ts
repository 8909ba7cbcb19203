import type { Desired, Refusal, Setting } from '../domain.ts';
import { CPU, type CpuFacts, type Policy, UNCORE } from './facts.ts';
import { type RoleCpus, refuseAbsent, setFile } from './role.ts';
import type { CpuWanted, Frequency, RoleWanted } from './schema.ts';

const NO_CPUFREQ = 'This machine has no cpufreq driver: firmware or hypervisor choose the frequency.';

/**
 * Turbo for the whole machine. It decides what the highest frequency is, so it is settled in the first stage and the
 * frequencies are planned after it. https://docs.kernel.org/admin-guide/pm/cpufreq.html#frequency-boost-support
 */
export function desireTurbo(isWanted: boolean, facts: CpuFacts): Desired {
  const why = isWanted
    ? 'Turbo lets a busy core run above its nominal frequency.'
    : 'Without turbo the frequency does not change with temperature and with what other cores do.';
  const [on, off] = facts.turbo === 'no_turbo' ? ['0', '1'] : ['1', '0'];
  const value = isWanted ? on : off;
  const wish = { why, value, format: 'integer', stage: 'shape', ifRefused: 'skip' } as const;
  switch (facts.turbo) {
    case 'no_turbo':
      return only(setFile({ ...wish, id: 'cpu.turbo@intel_pstate', path: `${CPU}/intel_pstate/no_turbo` }));
    case 'boost':
      return only(setFile({ ...wish, id: 'cpu.turbo@cpufreq', path: `${CPU}/cpufreq/boost` }));
    case 'policy-boost': {
      const settings = facts.policies.map(({ policy, folder }) =>
        setFile({ ...wish, id: `cpu.turbo@policy${policy}`, path: `${folder}/boost` }),
      );
      return { settings, refused: [] };
    }
    default: {
      const reason = facts.driver === undefined ? NO_CPUFREQ : `The driver ${facts.driver} has no switch for turbo.`;
      return { settings: [], refused: [refuseAbsent('cpu.turbo@machine', reason, facts)] };
    }
  }
}

/** intel_pstate/min_perf_pct. https://docs.kernel.org/admin-guide/pm/intel_pstate.html */
export function desireMinPerfPct(percent: number, facts: CpuFacts): Desired {
  const id = 'cpu.min_perf_pct@intel_pstate';
  if (!facts.hasMinPerfPct) {
    const reason =
      facts.driver === undefined ? NO_CPUFREQ : `min_perf_pct is of the driver intel_pstate; this is ${facts.driver}.`;
    return { settings: [], refused: [refuseAbsent(id, reason, facts)] };
  }
  const why = 'The least performance that intel_pstate asks the CPU for.';
  return only(
    setFile({ id, path: `${CPU}/intel_pstate/min_perf_pct`, value: String(percent), format: 'integer', why }),
  );
}

/** https://docs.kernel.org/admin-guide/pm/intel_uncore_frequency_scaling.html */
export function desireUncore(wanted: NonNullable<CpuWanted['uncore']>, facts: CpuFacts): Desired {
  const least = wanted.minFrequency;
  if (least === undefined) return { settings: [], refused: [] };
  if (facts.uncore.length === 0) {
    const reason = `${UNCORE} is not there: not an Intel server, or the module intel_uncore_frequency is not loaded.`;
    return { settings: [], refused: [refuseAbsent('cpu.uncore@machine', reason, facts)] };
  }
  const settings = facts.uncore.flatMap(({ domain, maxKhz }) => {
    const khz = least === 'max' ? maxKhz : least;
    if (khz === undefined) return [];
    const why = 'Mesh and memory controller clock down when few cores work; then every cache miss takes longer.';
    const path = `${UNCORE}/${domain}/min_freq_khz`;
    return [
      setFile({ id: `cpu.uncore@${domain}`, path, value: String(khz), format: 'integer', why, ifRefused: 'skip' }),
    ];
  });
  return { settings, refused: [] };
}

/**
 * Frequencies, preference and governor of one role. The order is one that can be undone backwards: the upper limit before
 * the lower one; the preference before the governor, since under `performance` intel_pstate and amd_pstate take no other
 * preference (EBUSY) and give the old one back when the governor goes.
 */
export function desireFrequencies(role: RoleCpus, wanted: RoleWanted, facts: CpuFacts): Desired {
  const { settings, refused } = collect();
  const keys = (['maxFrequency', 'minFrequency', 'epp', 'governor'] as const).filter(
    (key) => wanted[key] !== undefined,
  );
  const possible = keys.filter((key) => {
    const id = `cpu.${ID_OF[key]}@${role.name}`;
    const refusal =
      facts.policies.length === 0 ? refuseAbsent(id, NO_CPUFREQ, facts) : refuseKey({ id, key, wanted }, facts);
    if (refusal !== undefined) refused.push(refusal);
    return refusal === undefined;
  });
  const policies = facts.policies.filter((policy) => policy.cpus.some((cpu) => role.cpus.includes(cpu)));
  for (const policy of policies) for (const key of possible) settings.push(...settingOf(key, policy, wanted));
  return { settings, refused };
}

type Key = 'maxFrequency' | 'minFrequency' | 'epp' | 'governor';

const ID_OF = { maxFrequency: 'max_freq', minFrequency: 'min_freq', epp: 'epp', governor: 'governor' } as const;

interface KeyWish {
  readonly id: string;
  readonly key: Key;
  readonly wanted: RoleWanted;
}

/** What the driver does not know, or what two keys together cannot be. */
function refuseKey({ id, key, wanted }: KeyWish, facts: CpuFacts): Refusal | undefined {
  if (key === 'governor' && facts.governors.length > 0 && !facts.governors.includes(wanted.governor as string)) {
    const reason = `The driver ${facts.driver} has no governor ${wanted.governor} (it has: ${facts.governors.join(', ')}).`;
    return { id, kind: 'unsupported', reason };
  }
  if (key !== 'epp') return undefined;
  if (facts.preferences === undefined) {
    return { id, kind: 'unsupported', reason: `The driver ${facts.driver} has no energy_performance_preference.` };
  }
  if (!facts.preferences.includes(wanted.epp as string)) {
    return {
      id,
      kind: 'unsupported',
      reason: `The driver ${facts.driver} knows ${facts.preferences.join(', ')}, not ${wanted.epp}.`,
    };
  }
  if (wanted.governor === 'performance' && wanted.epp !== 'performance') {
    return { id, kind: 'conflict', reason: 'Under the governor performance the only preference is performance.' };
  }
  return undefined;
}

function settingOf(key: Key, policy: Policy, wanted: RoleWanted): readonly Setting[] {
  const { folder } = policy;
  const id = `cpu.${ID_OF[key]}@policy${policy.policy}`;
  if (key === 'governor') {
    const why =
      'The governor chooses the frequency; performance asks for the highest at all times, without ramping up first.';
    return [setFile({ id, path: `${folder}/scaling_governor`, value: wanted.governor as string, format: 'word', why })];
  }
  if (key === 'epp') {
    const why = 'Where the CPU itself chooses its frequency, this says whether it leans to speed or to saving.';
    return [
      setFile({
        id,
        path: `${folder}/energy_performance_preference`,
        value: wanted.epp as string,
        format: 'word',
        why,
      }),
    ];
  }
  const khz = resolveKhz(wanted[key] as Frequency, policy);
  if (khz === undefined) return [];
  const [file, why] =
    key === 'maxFrequency'
      ? ['scaling_max_freq', 'The highest frequency that may be chosen.']
      : ['scaling_min_freq', 'The lowest frequency that may be chosen: raised, a core that was idle starts fast.'];
  return [setFile({ id, path: `${folder}/${file}`, value: String(khz), format: 'integer', why: why as string })];
}

function resolveKhz(frequency: Frequency, { minKhz, maxKhz }: Policy): number | undefined {
  if (frequency === 'max') return maxKhz;
  if (frequency === 'min') return minKhz;
  if (typeof frequency === 'number') return frequency;
  return maxKhz === undefined ? undefined : Math.round((maxKhz * frequency.percent) / 100);
}

function only(setting: Setting): Desired {
  return { settings: [setting], refused: [] };
}

function collect(): { settings: Setting[]; refused: Refusal[] } {
  return { settings: [], refused: [] };
}
