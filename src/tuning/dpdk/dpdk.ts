import { type Desired, defineDomain, type Refusal, type Setting } from '../domain.ts';
import { NOT_CAPTURED } from '../knobs/directories.ts';
import { chooseDevices, desireBinding, desireRule, fileSetting, refuseTaking } from './binding.ts';
import { type DpdkFacts, observeDpdk } from './facts.ts';
import { desireIommu } from './iommu.ts';
import type { DpdkWanted } from './schema.ts';
import { desireVfs } from './vfs.ts';

const MODULES_FILE = '/etc/modules-load.d/hft-dpdk.conf';
const MODULES_TEXT = '# Written by hft tune; removed by hft rollback.\nvfio-pci\n';

/** NICs that programs drive from user space: the IOMMU, vfio-pci, its devices at every boot, virtual functions. */
export const dpdkDomain = defineDomain<DpdkWanted, DpdkFacts>({
  name: 'dpdk',
  schema: async () => (await import('./schema.ts')).dpdkWanted,
  observe: observeDpdk,
  desire(wanted, facts, machine): Desired {
    const isUnknown = !facts.isWhole && facts.nics.length === 0;
    if (isUnknown) return { settings: [], refused: [{ id: 'dpdk.devices', reason: NOT_CAPTURED, kind: 'unknown' }] };
    const dpdk = { wanted, facts, machine };
    const { chosen, refused } = chooseDevices(wanted.devices, dpdk);
    const willing = chosen.filter((each) => refuseTaking(each, dpdk) === undefined);
    const together = new Set(willing.map(({ pci }) => pci.address));
    const bindings = chosen.map((each) => desireBinding(each, together, dpdk));
    const bound = chosen.filter((_, index) => isTaken(bindings[index] as Setting | Refusal));
    const rule = desireRule(bound, facts);
    const vfs = desireVfs(dpdk);
    const needsVfio =
      [...bindings, ...vfs].some(isTaken) ||
      wanted.vfs.some(({ bind }) => bind && vfs.some((each) => 'tunable' in each));
    const decisions = [
      ...desireIommu(wanted, facts),
      ...(needsVfio ? [fileSetting(MODULES_FILE, MODULES_TEXT, MODULES_WHY)] : []),
      ...bindings,
      // After the drivers: an undo that a power cut ends must find no rule that takes them again.
      ...(rule === undefined ? [] : [rule]),
      ...vfs,
    ];
    return {
      settings: decisions.filter((each) => 'tunable' in each),
      refused: [...refused, ...decisions.filter((each) => 'reason' in each)],
    };
  },
});

const MODULES_WHY = 'Loads vfio-pci at boot, before udev gives it its devices.';

function isTaken(decision: Setting | Refusal): boolean {
  return 'tunable' in decision && decision.tunable.kind === 'pci-driver' && decision.value === 'vfio-pci';
}
