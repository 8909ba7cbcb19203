import { spawnSync } from 'node:child_process';
import { parseCpumask } from '../../src/topology/cpulist.ts';
import type { Cache } from '../../src/topology/machine.ts';

/** One online CPU as lscpu sees it; undefined where it prints nothing. */
export interface LscpuCpu {
  readonly cpu: number;
  readonly core: number | undefined;
  readonly package: number | undefined;
  readonly node: number | undefined;
  readonly online: boolean;
  /** The number of its cache by name (L1d, L2 ...); undefined when the columns cannot be told apart. */
  readonly caches: Readonly<Record<string, number>> | undefined;
}

/** `lscpu -C`: the sum of all caches of a name, in bytes; 0 where lscpu does not know it. */
export interface LscpuCaches {
  readonly name: string;
  readonly allBytes: number;
}

export function isInstalled(tool: string): boolean {
  return spawnSync(tool, ['--version'], { stdio: 'ignore' }).error === undefined;
}

/** Every present CPU, offline ones too. Undefined when lscpu refuses the dump; `why` says what it said. */
export function askLscpu(
  root: string,
): { cpus: readonly LscpuCpu[]; caches: readonly LscpuCaches[] } | { why: string } {
  const table = run('lscpu', ['--sysroot', root, '--all', '-p=CPU,CORE,SOCKET,NODE,ONLINE,CACHE']);
  const caches = run('lscpu', ['--sysroot', root, '--caches', '--json', '--bytes']);
  if (table.status !== 0) return { why: table.stderr.trim() || 'lscpu printed nothing' };
  const cpus = parseLscpu(table.stdout);
  // lscpu prints empty rows for processors that it does not know by the keys of their /proc/cpuinfo (RISC-V).
  if (cpus.length === 0) return { why: 'lscpu does not know this architecture' };
  return { cpus, caches: parseLscpuCaches(caches.stdout) };
}

function parseLscpu(text: string): LscpuCpu[] {
  const lines = text.trim().split('\n');
  const names = (lines.findLast((line) => line.startsWith('#')) ?? '').split(',').slice(5);
  return lines
    .filter((line) => /^\d/.test(line))
    .map((line) => {
      const [cpu, core, socket, node, online, ...ids] = line.split(',');
      const numbered = ids.length === names.length && ids.every((id) => /^\d+$/.test(id));
      return {
        cpu: Number(cpu),
        core: numberOf(core),
        package: numberOf(socket),
        node: numberOf(node),
        online: online !== 'N',
        caches: numbered ? Object.fromEntries(names.map((name, at) => [name, Number(ids[at])])) : undefined,
      };
    });
}

function parseLscpuCaches(text: string): LscpuCaches[] {
  const caches = text === '' ? [] : (JSON.parse(text) as { caches: Record<string, string>[] }).caches;
  return caches.map((cache) => ({
    name: cache.name as string,
    allBytes: Number(cache['all-size'] ?? 0),
  }));
}

function numberOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

/** The objects of hwloc that hft has too, with the online CPUs below them. */
export interface HwlocMachine {
  readonly cpus: readonly number[];
  readonly cores: readonly (readonly number[])[];
  readonly packages: readonly (readonly number[])[];
  readonly nodes: readonly { readonly node: number; readonly cpus: readonly number[]; readonly bytes: number }[];
  readonly caches: readonly Cache[];
}

const CACHE_TYPES = ['unified', 'data', 'instruction'] as const;

export function askHwloc(root: string): HwlocMachine | { why: string } {
  const options = ['--input', root, '--of', 'xml', '--no-io', '--disallowed', '--filter', 'icache:all'];
  const answer = run('hwloc-ls', options);
  if (answer.status !== 0) return { why: answer.stderr.trim().split('\n')[0] ?? '' };
  const objects = [...answer.stdout.matchAll(/<object (?<attributes>[^>]*)>/g)].map((match) =>
    parseAttributes(match.groups?.attributes ?? ''),
  );
  const cpusOf = (object: ReadonlyMap<string, string>) => parseHwlocSet(object.get('cpuset') ?? '');
  const ofType = (type: string) => objects.filter((object) => object.get('type') === type);
  return {
    cpus: ofType('PU').map((object) => Number(object.get('os_index'))),
    cores: ofType('Core').map(cpusOf),
    packages: ofType('Package').map(cpusOf),
    nodes: ofType('NUMANode').map((object) => ({
      node: Number(object.get('os_index')),
      cpus: cpusOf(object),
      bytes: Number(object.get('local_memory') ?? 0),
    })),
    caches: objects
      .filter((object) => /^L\di?Cache$/.test(object.get('type') ?? ''))
      .map((object) => ({
        level: Number(object.get('depth')),
        type: CACHE_TYPES[Number(object.get('cache_type'))] ?? 'unified',
        bytes: Number(object.get('cache_size')),
        cpus: cpusOf(object),
      })),
  };
}

function parseAttributes(text: string): ReadonlyMap<string, string> {
  return new Map([...text.matchAll(/(\w+)="([^"]*)"/g)].map((match) => [match[1] as string, match[2] as string]));
}

/** hwloc writes `0x00000001,0x0000ffff`, an empty word for zero (`0x1,,0x0`), and `0x0` for the empty set. */
export function parseHwlocSet(text: string): readonly number[] {
  return parseCpumask(
    text
      .split(',')
      .map((word) => word.replace(/^0x/, '') || '0')
      .join(','),
  );
}

/** hwloc hides the memory of NVIDIA GPUs, which the kernel shows as nodes. */
const ENVIRONMENT = { ...process.env, LC_ALL: 'C', HWLOC_KEEP_NVIDIA_GPU_NUMA_NODES: '1' };

function run(tool: string, argv: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(tool, argv, { encoding: 'utf8', maxBuffer: 2 ** 28, env: ENVIRONMENT });
}
