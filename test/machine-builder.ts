import { parseKernelConfig } from '../src/topology/kernel-config.ts';
import type { Cpu, Irq, Kernel, Machine, Nic } from '../src/topology/machine.ts';

/** A made-up machine for tests of pure decisions. Real machines are in test/machines. */
export interface MachineShape {
  readonly host?: string;
  readonly packages?: number;
  readonly coresPerPackage?: number;
  readonly threads?: number;
  readonly l3PerPackage?: number;
  readonly nodesPerPackage?: number;
  /** blocks: 0-3 on package 0, 4-7 on package 1. interleaved: even CPUs on package 0, odd ones on package 1. */
  readonly numbering?: 'blocks' | 'interleaved';
  readonly offline?: readonly number[];
  readonly memoryGiBPerNode?: number;
  readonly kernel?: Partial<Kernel>;
  /** The text of the file of build options: `CONFIG_NO_HZ_FULL=y`. */
  readonly kernelConfig?: string;
  readonly nics?: readonly (Partial<Nic> & { name: string })[];
  readonly irqs?: readonly (Partial<Irq> & { irq: number; device: string })[];
}

/** Default: 2 packages of 4 cores, no SMT, one node and one L3 each, kernel 6.1 of Debian 12. */
export function buildMachine(shape: MachineShape = {}): Machine {
  const packages = shape.packages ?? 2;
  const cores = shape.coresPerPackage ?? 4;
  const threads = shape.threads ?? 1;
  const nodesPerPackage = shape.nodesPerPackage ?? 1;
  const l3PerPackage = shape.l3PerPackage ?? 1;
  const totalCores = packages * cores;
  const cpus: Cpu[] = [];
  for (let thread = 0; thread < threads; thread++) {
    for (let core = 0; core < totalCores; core++) {
      const cpu = thread * totalCores + core;
      const inPackage = shape.numbering === 'interleaved' ? Math.floor(core / packages) : core % cores;
      const pkg = shape.numbering === 'interleaved' ? core % packages : Math.floor(core / cores);
      const online = !shape.offline?.includes(cpu);
      cpus.push({
        cpu,
        online,
        core: pkg * cores + inPackage,
        package: pkg,
        die: pkg,
        node: pkg * nodesPerPackage + Math.floor((inPackage * nodesPerPackage) / cores),
        l3: pkg * l3PerPackage + Math.floor((inPackage * l3PerPackage) / cores),
        siblings: Array.from({ length: threads }, (_, t) => t * totalCores + core).filter(
          (c) => !shape.offline?.includes(c),
        ),
      });
    }
  }
  const nodeCount = packages * nodesPerPackage;
  return {
    host: shape.host ?? 'testbox',
    kernel: {
      release: '6.1.0-18-amd64',
      version: [6, 1],
      realtime: false,
      architecture: 'x86_64',
      cmdline: 'BOOT_IMAGE=/boot/vmlinuz root=UUID=1 ro quiet',
      isolated: [],
      nohzFull: [],
      config: shape.kernelConfig === undefined ? undefined : parseKernelConfig(shape.kernelConfig),
      lockdown: undefined,
      clocksource: 'tsc',
      cgroupVersion: 2,
      hypervisor: undefined,
      bootId: '11111111-1111-1111-1111-111111111111',
      ...shape.kernel,
    },
    topology: {
      cpus,
      nodes: Array.from({ length: nodeCount }, (_, node) => ({
        node,
        cpus: cpus.filter((cpu) => cpu.node === node && cpu.online).map((cpu) => cpu.cpu),
        memoryBytes: (shape.memoryGiBPerNode ?? 32) * 2 ** 30,
        hugepages: [
          { pageBytes: 2097152, total: 0, free: 0 },
          { pageBytes: 1073741824, total: 0, free: 0 },
        ],
        distances: Array.from({ length: nodeCount }, (_, other) => (other === node ? 10 : 21)),
      })),
      caches: [],
      smt: { active: threads > 1, control: threads > 1 ? 'on' : 'notsupported' },
    },
    irqs: (shape.irqs ?? []).map((irq) => ({
      queue: '',
      managed: false,
      actions: [irq.device],
      affinity: cpus.map((cpu) => cpu.cpu),
      effective: [0],
      ...irq,
    })),
    nics: (shape.nics ?? []).map((nic) => ({
      driver: 'igb',
      bus: undefined,
      node: 0,
      mac: undefined,
      mtu: 1500,
      carrier: true,
      speedMbps: 25000,
      physical: true,
      queues: { rx: 8, tx: 8 },
      uppers: [],
      carriesSession: false,
      phc: undefined,
      irqs: [],
      ...nic,
    })),
    services: [],
  };
}
