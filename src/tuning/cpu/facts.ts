import { HostError } from '../../errors.ts';
import type { HostReader } from '../../host/host.ts';
import { parseCpulist } from '../../topology/cpulist.ts';
import type { Machine } from '../../topology/machine.ts';
import { observeWhole } from '../knobs/directories.ts';

export const CPU = '/sys/devices/system/cpu';
export const UNCORE = `${CPU}/intel_uncore_frequency`;

/** CPUs that share one clock, as cpufreq sees them. */
export interface Policy {
  readonly policy: number;
  readonly folder: string;
  readonly cpus: readonly number[];
  readonly minKhz: number | undefined;
  readonly maxKhz: number | undefined;
}

export interface IdleState {
  /** N of cpuidle/stateN */
  readonly state: number;
  readonly name: string;
}

/** What this machine lets itself be told about frequency and sleep. One cpufreq driver serves all policies. */
export interface CpuFacts {
  /** false: a capture that does not hold everything, so that what is not there may be on the machine. */
  readonly isWhole: boolean;
  readonly driver: string | undefined;
  readonly policies: readonly Policy[];
  readonly governors: readonly string[];
  /** undefined: this driver has no energy_performance_preference. */
  readonly preferences: readonly string[] | undefined;
  /** Where turbo is switched: for all by intel_pstate, for all by cpufreq, or per policy. */
  readonly turbo: 'no_turbo' | 'boost' | 'policy-boost' | undefined;
  readonly hasMinPerfPct: boolean;
  readonly hasEnergyPerfBias: boolean;
  readonly hasResumeLatency: boolean;
  readonly idleDriver: string | undefined;
  /** Idle states by kind of core (`any` where all are alike). */
  readonly idleStates: Readonly<Record<string, readonly IdleState[]>>;
  readonly uncore: readonly { readonly domain: string; readonly maxKhz: number | undefined }[];
}

export async function observeCpus(host: HostReader, machine: Machine): Promise<CpuFacts> {
  const names = await listNames(host, `${CPU}/cpufreq`);
  const policies = await observePolicies(host, machine, names);
  const [isWhole, cpufreq, intel, power, idleDriver, idleStates, uncore] = await Promise.all([
    observeWhole(host),
    readPolicyDriver(host, policies[0]?.folder ?? `${CPU}/cpufreq/policy0`),
    listNames(host, `${CPU}/intel_pstate`),
    listNames(host, `${CPU}/cpu0/power`),
    readWord(host, `${CPU}/cpuidle/current_driver`),
    readIdleStates(host, machine),
    readUncore(host),
  ]);
  const isIntel = cpufreq.driver === 'intel_pstate' || cpufreq.driver === 'intel_cpufreq';
  const turbo = chooseTurbo({ isIntel: isIntel && intel.includes('no_turbo'), names, files: cpufreq.files });
  return {
    isWhole,
    driver: cpufreq.driver,
    policies,
    governors: cpufreq.governors,
    preferences: cpufreq.preferences,
    turbo,
    hasMinPerfPct: isIntel && intel.includes('min_perf_pct'),
    hasEnergyPerfBias: power.includes('energy_perf_bias'),
    hasResumeLatency: power.includes('pm_qos_resume_latency_us'),
    idleDriver: idleDriver === 'none' ? undefined : idleDriver,
    idleStates,
    uncore,
  };
}

/** cpufreq/policyN since Linux 4.3; before, and in captures that leave links out, each CPU has a folder of its own. */
async function observePolicies(
  host: HostReader,
  machine: Machine,
  names: readonly string[],
): Promise<readonly Policy[]> {
  const numbers = names.flatMap((name) => /^policy(\d+)$/.exec(name)?.[1] ?? []).map(Number);
  if (numbers.length > 0) {
    const ascending = numbers.sort((left, right) => left - right);
    return Promise.all(ascending.map((policy) => readPolicy(host, policy, `${CPU}/cpufreq/policy${policy}`)));
  }
  const online = machine.topology.cpus.filter((cpu) => cpu.online).map((cpu) => cpu.cpu);
  if (!(await listNames(host, `${CPU}/cpu${online[0]}`)).includes('cpufreq')) return [];
  const each = await Promise.all(online.map((cpu) => readPolicy(host, cpu, `${CPU}/cpu${cpu}/cpufreq`)));
  return each.filter(({ policy, cpus }) => policy === cpus.find((cpu) => online.includes(cpu)));
}

function chooseTurbo(found: {
  isIntel: boolean;
  names: readonly string[];
  files: readonly string[];
}): CpuFacts['turbo'] {
  if (found.isIntel) return 'no_turbo';
  if (found.names.includes('boost')) return 'boost';
  return found.files.includes('boost') ? 'policy-boost' : undefined;
}

/** The files of a policy are its driver's, and Linux has one cpufreq driver at a time: any policy speaks for all. */
async function readPolicyDriver(host: HostReader, folder: string) {
  const [driver, governors, preferences, files] = await Promise.all([
    readWord(host, `${folder}/scaling_driver`),
    readWord(host, `${folder}/scaling_available_governors`),
    readWord(host, `${folder}/energy_performance_available_preferences`),
    listNames(host, folder),
  ]);
  return { driver, files, governors: governors?.split(/\s+/) ?? [], preferences: preferences?.split(/\s+/) };
}

async function readPolicy(host: HostReader, policy: number, folder: string): Promise<Policy> {
  const [cpus, minKhz, maxKhz] = await Promise.all([
    readWord(host, `${folder}/related_cpus`),
    readNumber(host, `${folder}/cpuinfo_min_freq`),
    readNumber(host, `${folder}/cpuinfo_max_freq`),
  ]);
  // related_cpus separates by blanks, not commas.
  return {
    policy,
    folder,
    cpus: cpus === undefined ? [policy] : parseCpulist(cpus.replaceAll(/\s+/g, ',')),
    minKhz,
    maxKhz,
  };
}

async function readIdleStates(host: HostReader, machine: Machine): Promise<CpuFacts['idleStates']> {
  const online = machine.topology.cpus.filter((cpu) => cpu.online);
  const kinds = [...new Set(online.map((cpu) => cpu.coreType ?? 'any'))];
  const entries = kinds.map(async (kind) => {
    const cpu = online.find((candidate) => (candidate.coreType ?? 'any') === kind)?.cpu as number;
    return [kind, await readIdleStatesOf(host, cpu)] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

async function readIdleStatesOf(host: HostReader, cpu: number): Promise<readonly IdleState[]> {
  const folder = `${CPU}/cpu${cpu}/cpuidle`;
  const states = (await listNames(host, folder)).flatMap((name) => /^state(\d+)$/.exec(name)?.[1] ?? []).map(Number);
  const read = states.map(async (state) => ({
    state,
    name: (await readWord(host, `${folder}/state${state}/name`)) ?? '',
  }));
  return (await Promise.all(read)).sort((left, right) => left.state - right.state);
}

async function readUncore(host: HostReader): Promise<CpuFacts['uncore']> {
  const domains = (await listNames(host, UNCORE)).filter((name) => name.startsWith('package_'));
  return Promise.all(
    domains.map(async (domain) => ({
      domain,
      maxKhz: await readNumber(host, `${UNCORE}/${domain}/initial_max_freq_khz`),
    })),
  );
}

async function readNumber(host: HostReader, path: string): Promise<number | undefined> {
  const text = await readWord(host, path);
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

async function readWord(host: HostReader, path: string): Promise<string | undefined> {
  try {
    return (await host.readText(path))?.trim();
  } catch (error) {
    if (error instanceof HostError) return undefined;
    throw error;
  }
}

async function listNames(host: HostReader, path: string): Promise<readonly string[]> {
  try {
    return (await host.list(path)) ?? [];
  } catch (error) {
    if (error instanceof HostError) return [];
    throw error;
  }
}
