import fs from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type CpuSet, union } from '../../src/topology/cpulist.ts';
import { readMachine } from '../../src/topology/read.ts';
import type { FakeHost } from '../fake-host.ts';
import { nodeFiles, type SysfsCpu, sysfsOf } from '../unit/topology/sysfs.ts';
import { makeFolder } from './dumps.ts';
import { judge } from './judge.ts';
import { isInstalled } from './oracles.ts';

/** Odd machines of which there may be no dump, as the kernel would show them, judged by lscpu and hwloc as well. */
interface Shape {
  readonly packages: number;
  readonly cores: number;
  readonly threads: number;
  readonly coresPerL3: number;
  readonly interleaved?: boolean;
  readonly offline?: CpuSet;
  /** What CPU numbers are multiplied with: sparse numbers. */
  readonly stride?: number;
}

function makeCpus(shape: Shape): Record<number, SysfsCpu> {
  const { packages, cores, threads, coresPerL3, interleaved, offline = [], stride = 1 } = shape;
  const total = packages * cores;
  const numberOf = (pack: number, core: number, thread: number) =>
    stride * (thread * total + (interleaved ? core * packages + pack : pack * cores + core));
  const online = (cpus: number[]) => cpus.filter((cpu) => !offline.includes(cpu)).sort((left, right) => left - right);
  const threadsOf = (pack: number, core: number) =>
    online(Array.from({ length: threads }, (_, thread) => numberOf(pack, core, thread)));
  const cpus: Record<number, SysfsCpu> = {};
  for (let pack = 0; pack < packages; pack++) {
    const inPackage = union(...Array.from({ length: cores }, (_, core) => threadsOf(pack, core)));
    for (let core = 0; core < cores; core++) {
      const first = core - (core % coresPerL3);
      const l3 = union(...Array.from({ length: coresPerL3 }, (_, at) => threadsOf(pack, first + at)));
      const own = threadsOf(pack, core);
      const caches = [
        { level: 1, type: 'Data', size: '32K', cpus: own },
        { level: 1, type: 'Instruction', size: '32K', cpus: own },
        { level: 2, type: 'Unified', size: '1024K', cpus: own },
        { level: 3, type: 'Unified', size: '16384K', cpus: l3 },
      ];
      for (let thread = 0; thread < threads; thread++) {
        const cpu = numberOf(pack, core, thread);
        cpus[cpu] = offline.includes(cpu) ? { online: '0' } : { threads: own, package: inPackage, caches };
      }
    }
  }
  return cpus;
}

function cpuinfoOf(cpus: Record<number, SysfsCpu>): string {
  const online = Object.keys(cpus).filter((cpu) => cpus[Number(cpu)]?.online !== '0');
  return online
    .map((cpu) => `processor\t: ${cpu}\nvendor_id\t: GenuineIntel\nmodel name\t: Made Up\nflags\t\t: fpu lm\n`)
    .join('\n');
}

function writeMachine(host: FakeHost): string {
  const root = makeFolder();
  onTestFinished(() => fs.rmSync(root, { recursive: true, force: true }));
  for (const [name, text] of host.files) {
    const file = path.join(root, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, text);
  }
  return root;
}

const evenAndOdd = [
  [0, 2, 4, 6],
  [1, 3, 5, 7],
] as const;

test.for<[string, Record<number, SysfsCpu>, Record<string, string>]>([
  [
    'odd and even sockets',
    makeCpus({ packages: 2, cores: 4, threads: 1, coresPerL3: 4, interleaved: true }),
    {
      ...nodeFiles(0, evenAndOdd[0], [10, 21]),
      ...nodeFiles(1, evenAndOdd[1], [21, 10]),
    },
  ],
  ['SMT and two L3 per socket', makeCpus({ packages: 2, cores: 4, threads: 2, coresPerL3: 2 }), {}],
  [
    'sub-NUMA clusters',
    makeCpus({ packages: 1, cores: 4, threads: 1, coresPerL3: 4 }),
    {
      ...nodeFiles(0, [0, 1], [10, 12]),
      ...nodeFiles(1, [2, 3], [12, 10]),
    },
  ],
  [
    'CPU 0 offline',
    makeCpus({ packages: 1, cores: 4, threads: 1, coresPerL3: 4, offline: [0] }),
    nodeFiles(0, [1, 2, 3], [10]),
  ],
  [
    'a sibling offline',
    makeCpus({ packages: 1, cores: 2, threads: 2, coresPerL3: 2, offline: [3] }),
    nodeFiles(0, [0, 1, 2], [10]),
  ],
  ['sparse CPU numbers', makeCpus({ packages: 2, cores: 2, threads: 2, coresPerL3: 2, stride: 8 }), {}],
  [
    'a node of memory only, with a gap',
    makeCpus({ packages: 1, cores: 2, threads: 1, coresPerL3: 2 }),
    {
      ...nodeFiles(0, [0, 1], [10, 40]),
      ...nodeFiles(5, [], [40, 10]),
    },
  ],
  [
    'firmware with all CPUs in each node',
    makeCpus({ packages: 2, cores: 2, threads: 1, coresPerL3: 2 }),
    {
      ...nodeFiles(0, [0, 1, 2, 3], [10, 20]),
      ...nodeFiles(1, [0, 1, 2, 3], [20, 10]),
    },
  ],
  ['256 CPUs', makeCpus({ packages: 2, cores: 64, threads: 2, coresPerL3: 8 }), {}],
  [
    'asymmetric caches',
    {
      0: { threads: [0], package: [0, 1], caches: [{ level: 1, type: 'Data', size: '32K', cpus: [0] }] },
      1: {
        threads: [1],
        package: [0, 1],
        caches: [
          { level: 1, type: 'Data', size: '32K', cpus: [1] },
          { level: 2, type: 'Unified', size: '512K', cpus: [1] },
        ],
      },
    },
    {},
  ],
])('%s', async ([, cpus, others], context) => {
  const host = sysfsOf(cpus, { '/proc/cpuinfo': cpuinfoOf(cpus), ...others });
  const machine = await readMachine(host);
  expect(machine.topology.cpus.map(({ cpu }) => cpu)).toEqual(Object.keys(cpus).map(Number));
  if (!isInstalled('lscpu') || !isInstalled('hwloc-ls')) context.skip('needs lscpu and hwloc-ls installed');
  expect(judge(machine, writeMachine(host))).toEqual({ lscpu: [], hwloc: [] });
});
