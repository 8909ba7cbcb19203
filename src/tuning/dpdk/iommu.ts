import { judgeBootArguments } from '../../tunables/boot/refusal.ts';
import type { Refusal, Setting } from '../domain.ts';
import type { DpdkFacts } from './facts.ts';
import type { DpdkWanted } from './schema.ts';

/** Intel's IOMMU has an argument of its own; AMD's and Arm's are on where the firmware has them. */
export function desireIommu({ iommu }: DpdkWanted, { boot, cpuVendor }: DpdkFacts): readonly (Setting | Refusal)[] {
  if (iommu === 'leave') return [];
  const judge = judgeBootArguments(boot);
  const wanted = [
    ...(cpuVendor === 'GenuineIntel' ? [['intel_iommu', 'intel_iommu=on', ON_WHY] as const] : []),
    ...(iommu === 'pt' ? [['iommu', 'iommu=pt', PT_WHY] as const] : []),
  ];
  return wanted.map(([name, value, why]): Setting | Refusal => {
    const id = `dpdk.iommu@${name}`;
    const refusal = judge([name], value);
    if (refusal !== undefined) return { id, ...refusal };
    return {
      id,
      stage: 'values',
      tunable: { kind: 'boot-arg', names: [name] },
      value,
      why,
      ifRefused: 'fail',
      disruption: 'reboot',
    };
  });
}

const ON_WHY = 'vfio-pci lets a program drive a NIC only behind an IOMMU, which keeps it to its own memory.';
const PT_WHY = 'Devices of the kernel are not translated, so the IOMMU costs them nothing.';
