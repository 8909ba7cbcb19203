/** The facts of a machine, read once (src/topology/read.ts) and decided upon everywhere else. Pure data, stable as JSON. */

/** One logical CPU, present in the machine, online or not. Numbers as `lscpu -p` gives them. */
export interface Cpu {
  readonly cpu: number;
  readonly online: boolean;
  /** Logical index of the physical core, unique in the machine; undefined when the kernel does not say (offline CPU). */
  readonly core: number | undefined;
  /** Logical index of the package (socket). */
  readonly package: number | undefined;
  /** Logical index of the die within the machine. */
  readonly die: number | undefined;
  readonly node: number | undefined;
  /** Logical index of the last-level (L3) cache, unique in the machine; undefined when there is none. */
  readonly l3: number | undefined;
  /** The hardware threads of its core, itself included, ascending. */
  readonly siblings: readonly number[];
  /** On hybrid machines: the kind of core. */
  readonly coreType?: 'performance' | 'efficiency';
}

export interface Hugepages {
  /** bytes, 2097152 or 1073741824 on x86-64 */
  readonly pageBytes: number;
  readonly total: number;
  readonly free: number;
}

export interface NumaNode {
  readonly node: number;
  readonly cpus: readonly number[];
  /** 0 when the node has no memory. */
  readonly memoryBytes: number;
  readonly hugepages: readonly Hugepages[];
  /** Distance to each node, by position in the list of nodes. */
  readonly distances: readonly number[];
}

export interface Cache {
  readonly level: number;
  readonly type: 'data' | 'instruction' | 'unified';
  readonly bytes: number;
  readonly cpus: readonly number[];
}

export interface Topology {
  readonly cpus: readonly Cpu[];
  readonly nodes: readonly NumaNode[];
  readonly caches: readonly Cache[];
  readonly smt: { readonly active: boolean; readonly control: string | undefined };
}

/** The build options of a kernel, `CONFIG_` dropped. As JSON an object of all that are set. */
export interface KernelConfig {
  /** `y`, `m`, a number or text without quotes; undefined when it is not set. */
  get(option: string): string | undefined;
  toJSON(): Readonly<Record<string, string>>;
}

export interface Kernel {
  /** uname -r, e.g. `6.1.0-18-rt-amd64` */
  readonly release: string;
  /** [major, minor], for the catalogue of knobs */
  readonly version: readonly [number, number];
  readonly realtime: boolean;
  readonly architecture: string;
  /** /proc/cmdline, as text */
  readonly cmdline: string;
  /** CPUs as the kernel has them in effect (/sys/devices/system/cpu/isolated, nohz_full) */
  readonly isolated: readonly number[];
  readonly nohzFull: readonly number[];
  /** /boot/config-$release or one of its other places; undefined when unreadable */
  readonly config: KernelConfig | undefined;
  readonly lockdown: string | undefined;
  readonly clocksource: string | undefined;
  readonly cgroupVersion: 1 | 2 | undefined;
  readonly hypervisor: string | undefined;
  readonly bootId: string | undefined;
}

export interface Irq {
  readonly irq: number;
  /** Name of the device that raises it: a NIC's interface name, a block device, or the action's name. */
  readonly device: string;
  /** The queue within the device as text (`rx-3`, `TxRx-0`, `config`), '' when it has one interrupt only. */
  readonly queue: string;
  /** Kernel-managed affinity (nvme, virtio-blk queues): cannot be moved. */
  readonly managed: boolean;
  readonly actions: readonly string[];
  readonly affinity: readonly number[];
  readonly effective: readonly number[];
}

export interface Nic {
  readonly name: string;
  readonly driver: string | undefined;
  /** PCI address (or bus id) */
  readonly bus: string | undefined;
  readonly node: number | undefined;
  readonly mac: string | undefined;
  readonly mtu: number;
  readonly carrier: boolean | undefined;
  readonly speedMbps: number | undefined;
  readonly physical: boolean;
  readonly queues: { readonly rx: number; readonly tx: number };
  /** Interfaces above it: bonds, bridges, VLANs. */
  readonly uppers: readonly string[];
  /** Carries the default route, an address that a remote session uses, or is below one that does. */
  readonly carriesSession: boolean;
  readonly pcie?: { readonly widthLanes: number; readonly speedGTs: number };
  /** PTP hardware clock, e.g. `ptp0` */
  readonly phc: string | undefined;
  /** hft took it from its driver for DPDK: `by` drives it now, it has no interface, and the rest is as it was before. */
  readonly taken?: { readonly by: string; readonly phc: string | undefined };
  readonly irqs: readonly number[];
}

export interface Service {
  readonly name: string;
  readonly active: boolean;
  readonly enabled: boolean;
}

export interface Machine {
  readonly host: string;
  readonly kernel: Kernel;
  readonly topology: Topology;
  readonly irqs: readonly Irq[];
  readonly nics: readonly Nic[];
  /** Services that fight tuning and are installed here: irqbalance, tuned, thermald … */
  readonly services: readonly Service[];
}
