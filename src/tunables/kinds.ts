import { bootArgKind } from './boot-arg.ts';
import { bootEntryKind } from './boot-entry.ts';
import { bootOnceKind } from './boot-once.ts';
import { cgroupKind } from './cgroup.ts';
import { configFileKind } from './config-file.ts';
import { cpusetPartitionKind } from './cpuset-partition.ts';
import { dcbPfcKind } from './dcb-pfc.ts';
import { ethtoolKind } from './ethtool.ts';
import { fileKind } from './file.ts';
import { irqAffinityKind } from './irq-affinity.ts';
import type { TunableKind } from './kind.ts';
import { linkKind } from './link.ts';
import { mountKind } from './mount.ts';
import { ntupleRuleKind } from './ntuple-rule.ts';
import { pciDriverKind } from './pci-driver.ts';
import { rdmaKind } from './rdma.ts';
import { sliceCpusKind } from './slice-cpus.ts';
import { threadAffinityKind } from './thread-affinity.ts';
import { threadSchedulingKind } from './thread-scheduling.ts';
import type { Tunable } from './tunable.ts';
import { unitKind } from './unit.ts';
import { vfKind } from './vf.ts';

/** The list of all kinds: a tunable's `kind` names its entry. */
const KINDS: { readonly [K in Tunable['kind']]: TunableKind<Extract<Tunable, { kind: K }>> } = {
  file: fileKind,
  'irq-affinity': irqAffinityKind,
  ethtool: ethtoolKind,
  link: linkKind,
  unit: unitKind,
  'boot-arg': bootArgKind,
  'config-file': configFileKind,
  mount: mountKind,
  'thread-affinity': threadAffinityKind,
  'thread-scheduling': threadSchedulingKind,
  cgroup: cgroupKind,
  'slice-cpus': sliceCpusKind,
  'cpuset-partition': cpusetPartitionKind,
  'boot-entry': bootEntryKind,
  'boot-once': bootOnceKind,
  'pci-driver': pciDriverKind,
  vf: vfKind,
  'dcb-pfc': dcbPfcKind,
  rdma: rdmaKind,
  'ntuple-rule': ntupleRuleKind,
};

/** The kind of a tunable. The one cast: a tunable is always given to the kind of its own name. */
export function kindOf(tunable: Tunable): TunableKind<Tunable> {
  return KINDS[tunable.kind] as unknown as TunableKind<Tunable>;
}
