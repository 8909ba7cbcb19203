/** The closed union of places where a value lives. A new kind is written once, here and in `kinds.ts`. */

/**
 * How a kernel file spells its value.
 * word: one token. integer: decimal. bracketed: `always [madvise] never`, the chosen word is the value.
 * cpulist: `0-3,8`. cpumask: comma-separated hex words, held as a cpulist in hft. words: tokens, white space folded.
 * flag: `Y`/`N` or `1`/`0`, held as 1/0.
 */
export type FileFormat = 'word' | 'integer' | 'bracketed' | 'cpulist' | 'cpumask' | 'words' | 'flag';

/** A kernel file in /proc or /sys. Missing means that this kernel or machine has no such knob. */
export interface FileTunable {
  readonly kind: 'file';
  readonly path: string;
  readonly format: FileFormat;
  /** Another file, written just before each write of this one: some knobs obey only then (kernel.soft_watchdog). */
  readonly primer?: { readonly path: string; readonly text: string };
  /** The other file of a pair of which the kernel zeroes one when the other gets a value (vm.dirty_bytes, vm.dirty_ratio). */
  readonly companion?: string;
}

/** The affinity of one interrupt, judged by the kernel's effective affinity. Value: cpulist. */
export interface IrqAffinityTunable {
  readonly kind: 'irq-affinity';
  readonly irq: number;
  /** The name its driver gave it (`eth0-rx-3`): the number did not go to another device since. */
  readonly action?: string;
}

export type EthtoolGroup = 'channels' | 'ring' | 'pause' | 'private-flag' | 'feature' | 'coalesce' | 'rss' | 'eee';

/**
 * One parameter that ethtool reads and sets. `key` as ethtool's set side spells it (`rx`, `rx-usecs`, `tso`).
 * rss has the one key `indirection`; its value is `equal 4`, `weight 16 16 32`, `start 2 equal 4`, `default`, or
 * `table 0,2,1 …` for a table that ethtool can show and not set.
 */
export interface EthtoolTunable {
  readonly kind: 'ethtool';
  readonly device: string;
  readonly group: EthtoolGroup;
  readonly key: string;
}

/** An attribute of a network device that `ip link set` changes. */
export interface LinkTunable {
  readonly kind: 'link';
  readonly device: string;
  readonly attribute: 'mtu' | 'txqueuelen' | 'qdisc';
}

/** A systemd unit. activity: active|inactive. enablement: enabled|disabled|masked (masked: cannot be started by anybody). */
export interface UnitTunable {
  readonly kind: 'unit';
  readonly name: string;
  readonly aspect: 'activity' | 'enablement';
}

/**
 * Kernel arguments, staged for the next boot through the boot loader. `names` are the argument names that belong
 * together in their order (`hugepagesz`, `hugepages`); the value is their text on the command line
 * (`isolcpus=managed_irq,domain,2-7`), null when none is given.
 * Current is what the running kernel has in effect; staged is what the boot loader's default entry gives.
 */
export interface BootArgTunable {
  readonly kind: 'boot-arg';
  readonly names: readonly string[];
  /** Where the running kernel shows that the argument took effect, and what it must show. */
  readonly effect?: { readonly path: string; readonly format: FileFormat; readonly value: string };
}

/** A whole file that hft owns (a drop-in, a unit). Value: its content; null: not there. */
export interface ConfigFileTunable {
  readonly kind: 'config-file';
  readonly path: string;
  readonly mode: number;
  /** Folders that the first write makes, outermost first; the undo takes those away that are empty. Journal only. */
  readonly makesFolders?: readonly string[];
  /** A unit that reads the file when it starts: reloaded and, if it runs, restarted after the file changed. */
  readonly restarts?: string;
}

/** A mount point that hft owns. Value: `type options`, null: not mounted. */
export interface MountTunable {
  readonly kind: 'mount';
  readonly target: string;
  readonly source: string;
}

/** The allowed CPUs of one running thread (kernel threads that can be moved). Value: cpulist. */
export interface ThreadAffinityTunable {
  readonly kind: 'thread-affinity';
  readonly pid: number;
  /** Field 22 of /proc/PID/stat: the pid was not reused. */
  readonly startTicks: number;
}

/** Policy and priority of one running thread. Value: `other nice 0`, `fifo 48 reset-on-fork`. */
export interface ThreadSchedulingTunable {
  readonly kind: 'thread-scheduling';
  readonly pid: number;
  /** Field 22 of /proc/PID/stat: the pid was not reused. */
  readonly startTicks: number;
}

/** A folder that hft owns in cgroup v2. Value: `present`; null: not there. */
export interface CgroupTunable {
  readonly kind: 'cgroup';
  readonly path: string;
}

/** AllowedCPUs= of a running systemd slice or scope (`system.slice`), until the next boot. Value: cpulist; null: no limit. */
export interface SliceCpusTunable {
  readonly kind: 'slice-cpus';
  readonly unit: string;
}

/** The cpuset partition state of a systemd slice. Value: `isolated`; null: an ordinary member. */
export interface CpusetPartitionTunable {
  readonly kind: 'cpuset-partition';
  readonly unit: string;
}

/**
 * The second boot entry that a trial boot takes. Value: what it changes in the default entry's arguments
 * (`hft.trial=RUN isolcpus=domain,2-3 -nohz_full`); null: no such entry.
 */
export interface BootEntryTunable {
  readonly kind: 'boot-entry';
}

/** The boot entry that the next boot takes, once. Value: its id; null: the default entry as ever. */
export interface BootOnceTunable {
  readonly kind: 'boot-once';
}

/** What the interface of a NIC had before its driver was taken away: what comes back with the driver, and what does not. */
export interface InterfaceState {
  readonly name: string;
  readonly up: boolean;
  /** bytes */
  readonly mtu: number;
  /** `10.80.0.1/24`: those that somebody set; what DHCP and the kernel give, they give again. */
  readonly addresses: readonly string[];
  /** `10.9.0.0/16 via 10.80.0.254 proto static`, as ip(8) takes them. */
  readonly routes: readonly string[];
  /** By group and key, as ethtool sets them. */
  readonly ethtool: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** `10.80.0.7 lladdr 52:54:00:00:00:07`: permanent neighbours. Not in older journals. */
  readonly neighbours?: readonly string[];
  /** Not in older journals. */
  readonly queues?: QueueState;
}

/** What hangs on the queues of an interface. */
export interface QueueState {
  /** By path below the interface in /sys/class/net: `tx_queue_len`, `queues/tx-0/xps_cpus`. */
  readonly files: Readonly<Record<string, string>>;
  /** cpulist by name of an interrupt: `enp1s0-TxRx-0`. */
  readonly irqs: Readonly<Record<string, string>>;
  /** As `ethtool -N` takes them. */
  readonly rules: readonly string[];
  /** The root qdisc that somebody set; undefined: the kernel's own. */
  readonly qdisc?: string;
  /** What could not be put back, for people. */
  readonly lost: readonly string[];
}

/**
 * The driver of a PCI device, through driver_override. Value: its name (`igb`, `vfio-pci`); null: none.
 * Documentation/ABI/testing/sysfs-bus-pci
 */
export interface PciDriverTunable {
  readonly kind: 'pci-driver';
  readonly address: string;
  /** What an undo puts back with the driver. Journal only. */
  readonly before?: {
    readonly driver: string | null;
    readonly override: string | null;
    readonly interface?: InterfaceState;
  };
}

/** A setting of one virtual function, which its physical function keeps: `ip link set PF vf N mac …`. */
export interface VfTunable {
  readonly kind: 'vf';
  readonly device: string;
  readonly vf: number;
  readonly attribute: 'mac' | 'vlan' | 'spoofchk' | 'trust' | 'max_tx_rate';
}

/**
 * One rule by which a NIC sends a flow to a queue. `rule`: what it matches, as `ethtool -N` takes it (`flow-type udp4
 * dst-ip 239.1.1.1 dst-port 30001`). Value: `action 6`, the queue; null: there is no such rule.
 */
export interface NtupleRuleTunable {
  readonly kind: 'ntuple-rule';
  readonly device: string;
  readonly rule: string;
}

/** Whether a NIC pauses one priority by itself: `dcb pfc`. Value: on, off. */
export interface DcbPfcTunable {
  readonly kind: 'dcb-pfc';
  readonly device: string;
  /** 0 to 7 */
  readonly priority: number;
}

/**
 * What RoCE connections of a device begin with. Values: cma-mode `RoCE v2` or `IB/RoCE v1`; cma-tos 0 to 255; traffic-class 0 to
 * 255, -1: none is forced; active-mtu bytes, which can only be read.
 */
export interface RdmaTunable {
  readonly kind: 'rdma';
  readonly device: string;
  readonly port: number;
  readonly attribute: 'cma-mode' | 'cma-tos' | 'traffic-class' | 'active-mtu';
}

export type Tunable =
  | DcbPfcTunable
  | RdmaTunable
  | NtupleRuleTunable
  | PciDriverTunable
  | VfTunable
  | FileTunable
  | IrqAffinityTunable
  | EthtoolTunable
  | LinkTunable
  | UnitTunable
  | BootArgTunable
  | ConfigFileTunable
  | MountTunable
  | ThreadAffinityTunable
  | ThreadSchedulingTunable
  | CgroupTunable
  | SliceCpusTunable
  | CpusetPartitionTunable
  | BootEntryTunable
  | BootOnceTunable;

/** What was found where a value lives. `value` null: nothing there, which is a state of its own for files hft owns. */
export type Reading =
  | {
      readonly status: 'value';
      readonly value: string | null;
      readonly evidence: string;
      /** What the running kernel was given and did not take: to boot with it again brings nothing new. */
      readonly notTaken?: string;
    }
  /** This kernel, driver or machine has no such knob. */
  | { readonly status: 'missing'; readonly evidence: string }
  /** It is there and cannot be read (needs root, EIO). */
  | { readonly status: 'unreadable'; readonly code: string; readonly evidence: string };
