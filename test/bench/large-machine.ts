import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { printCpulist } from '../../src/topology/cpulist.ts';

const CAPTURED = join(import.meta.dirname, '../machines/two-socket');
const CPU_COUNT = 96;
const CORE_COUNT = CPU_COUNT / 2;
const CORES_PER_PACKAGE = CORE_COUNT / 2;
/** Interrupts beside those of the captured machine: two cards with 64 queues each. */
const ADDED_IRQS = Array.from({ length: 128 }, (_, index) => 400 + index);
const CPUS = Array.from({ length: CPU_COUNT }, (_, cpu) => cpu);

/**
 * Writes a captured machine widened to 96 CPUs: 2 packages of 24 cores with 2 threads, four caches each core, cpufreq
 * and C-state limits of every CPU, and some 190 interrupts.
 */
export function writeLargeMachine(folder: string): void {
  cpSync(CAPTURED, folder, { recursive: true, verbatimSymlinks: true });
  rmSync(join(folder, 'sys/devices/system/cpu/cpufreq'), { recursive: true, force: true });
  const files = { ...cpuFiles(), ...frequencyFiles(), ...nodeFiles(), ...irqFiles() };
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), `${text}\n`);
  }
  // What the capture says is missing or unreadable is there now.
  const notes = join(folder, 'hft-snapshot.jsonl');
  const kept = readFileSync(notes, 'utf8')
    .split('\n')
    .filter((line) => !line.includes('/sys/devices/system/cpu'));
  writeFileSync(notes, kept.join('\n'));
}

type Files = Record<string, string>;

const CPU_FOLDER = 'sys/devices/system/cpu';

function siblings(cpu: number): readonly number[] {
  return [cpu % CORE_COUNT, (cpu % CORE_COUNT) + CORE_COUNT];
}

function packageOf(cpu: number): number {
  return Math.floor((cpu % CORE_COUNT) / CORES_PER_PACKAGE);
}

function packageCpus(index: number): readonly number[] {
  return CPUS.filter((cpu) => packageOf(cpu) === index);
}

/** `00000000,00000000,00000003`: words of 32 CPUs, the highest first. */
function mask(cpus: readonly number[]): string {
  const words = Array.from({ length: CPU_COUNT / 32 }, (_, word) =>
    cpus.filter((cpu) => cpu >> 5 === word).reduce((sum, cpu) => sum + 2 ** (cpu & 31), 0),
  );
  return words
    .reverse()
    .map((word) => word.toString(16).padStart(8, '0'))
    .join(',');
}

function cpuFiles(): Files {
  const all = printCpulist(CPUS);
  const files: Files = {
    'proc/cpuinfo': CPUS.map((cpu) => `processor\t: ${cpu}\nflags\t\t: constant_tsc\n`).join('\n'),
  };
  for (const name of ['present', 'possible', 'online']) files[`${CPU_FOLDER}/${name}`] = all;
  for (const cpu of CPUS) {
    const own = `${CPU_FOLDER}/cpu${cpu}`;
    const package_ = packageCpus(packageOf(cpu));
    if (cpu > 0) files[`${own}/online`] = '1';
    files[`${own}/topology/thread_siblings`] = mask(siblings(cpu));
    files[`${own}/topology/core_siblings`] = mask(package_);
    files[`${own}/topology/die_cpus`] = mask(package_);
    files[`${own}/power/pm_qos_resume_latency_us`] = '0';
    for (const [index, [level, type, size]] of CACHES.entries()) {
      files[`${own}/cache/index${index}/level`] = level;
      files[`${own}/cache/index${index}/type`] = type;
      files[`${own}/cache/index${index}/size`] = size;
      files[`${own}/cache/index${index}/shared_cpu_map`] = mask(level === '3' ? package_ : siblings(cpu));
    }
  }
  return files;
}

const CACHES = [
  ['1', 'Data', '32K'],
  ['1', 'Instruction', '32K'],
  ['2', 'Unified', '1024K'],
  ['3', 'Unified', '36608K'],
] as const;

function frequencyFiles(): Files {
  const policy = {
    scaling_driver: 'intel_pstate',
    scaling_governor: 'powersave',
    scaling_available_governors: 'performance powersave',
    scaling_min_freq: '800000',
    scaling_max_freq: '3600000',
    cpuinfo_min_freq: '800000',
    cpuinfo_max_freq: '3600000',
    energy_performance_preference: 'balance_performance',
    energy_performance_available_preferences: 'default performance balance_performance balance_power power',
  };
  const files: Files = { 'sys/devices/system/cpu/intel_pstate/no_turbo': '0' };
  for (const cpu of CPUS) {
    const own = `${CPU_FOLDER}/cpufreq/policy${cpu}`;
    for (const [name, text] of Object.entries(policy)) files[`${own}/${name}`] = text;
    for (const name of ['affected_cpus', 'related_cpus']) files[`${own}/${name}`] = String(cpu);
  }
  return files;
}

function nodeFiles(): Files {
  return Object.fromEntries(
    [0, 1].map((node) => [`sys/devices/system/node/node${node}/cpumap`, mask(packageCpus(node))]),
  );
}

function irqFiles(): Files {
  const zeros = '          0'.repeat(CPU_COUNT);
  const heading = CPUS.map((cpu) => `CPU${cpu}`.padStart(11)).join('');
  const captured = readFileSync(join(CAPTURED, 'proc/interrupts'), 'utf8').trimEnd().split('\n').slice(1);
  const widened = captured.map((line) => {
    const at = line.indexOf(':') + 1;
    return `${line.slice(0, at)}${zeros}${line.slice(at).replace(/^(?:\s+\d+\b(?!-))+/, '')}`;
  });
  const added = ADDED_IRQS.map(
    (irq, index) => `${irq}:${zeros}  PCI-MSI ${irq}-edge      card${index >> 6}-queue-${index & 63}`,
  );
  const files: Files = { 'proc/interrupts': [heading, ...widened, ...added].join('\n') };
  for (const [index, irq] of ADDED_IRQS.entries()) {
    files[`proc/irq/${irq}/smp_affinity_list`] = printCpulist(CPUS);
    files[`proc/irq/${irq}/effective_affinity_list`] = String(index % CPU_COUNT);
    files[`sys/kernel/irq/${irq}/chip_name`] = 'PCI-MSI';
    files[`sys/kernel/irq/${irq}/actions`] = `card${index >> 6}-queue-${index & 63}`;
  }
  return files;
}
