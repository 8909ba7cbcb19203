import type { VfTunable } from '../../tunables/tunable.ts';
import type { Refusal, Setting } from '../domain.ts';
import { type Chosen, chooseDevices, type DpdkCase, desireBinding } from './binding.ts';
import { listObjections } from './guard.ts';
import type { VfsWanted } from './schema.ts';

/**
 * Virtual functions: made, set, and given to vfio-pci. They exist only after they are made, so what is wanted of them is
 * planned again then. https://docs.kernel.org/PCI/pci-iov-howto.html
 */
export function desireVfs(dpdk: DpdkCase): readonly (Setting | Refusal)[] {
  return dpdk.wanted.vfs.flatMap((wanted) => {
    const { chosen, refused } = chooseDevices([wanted.of], dpdk);
    return [...refused, ...chosen.flatMap((each) => desireOf(each, wanted, dpdk))];
  });
}

function desireOf(each: Chosen, wanted: VfsWanted, dpdk: DpdkCase): readonly (Setting | Refusal)[] {
  const { pci, nic } = each;
  const id = `dpdk.vfs@${nic?.name ?? pci.address}`;
  const refusal = refuseMaking(each, wanted, dpdk);
  if (refusal !== undefined) return [{ id, ...refusal }];
  const made = pci.sriov?.now === wanted.count ? pci.sriov.vfs : [];
  const taken = new Set(made);
  return [
    ...(wanted.bind ? [probingSetting(each)] : []),
    makingSetting(id, each, wanted.count),
    ...made.flatMap((_, index) => desireSettings(each, index, wanted)),
    ...(wanted.bind ? made.flatMap((address) => bindVf(address, taken, dpdk)) : []),
  ];
}

function refuseMaking(
  { pci, nic }: Chosen,
  { count }: VfsWanted,
  { wanted, facts }: DpdkCase,
): Omit<Refusal, 'id'> | undefined {
  const name = nic?.name ?? pci.address;
  if (pci.sriov === undefined)
    return {
      kind: 'unsupported',
      reason: `${name} has no virtual functions (no sriov_totalvfs; the firmware may have SR-IOV off).`,
    };
  const { total, now } = pci.sriov;
  if (count > total)
    return {
      kind: 'unsupported',
      reason: `${name} has at most ${total} virtual functions; the profile asks for ${count}.`,
    };
  if (pci.driver === 'vfio-pci')
    return {
      kind: 'refused',
      reason: `${pci.address} is given to vfio-pci itself: make virtual functions of a NIC that the kernel keeps.`,
    };
  if (now !== 0 && now !== count) {
    const reason = `${name} has ${now} virtual functions, and another number means to remove all of them first: take them away (echo 0 > /sys/bus/pci/devices/${pci.address}/sriov_numvfs) when nobody uses them.`;
    return { kind: 'conflict', reason };
  }
  if (nic === undefined || now === count || wanted.override.includes(pci.address)) return undefined;
  const state = facts.states[nic.name];
  if (state !== undefined && !('unreadable' in state) && !state.up)
    return {
      kind: 'refused',
      reason: `${nic.name} is down, and its virtual functions have no link then: bring it up (ip link set ${nic.name} up).`,
    };
  const objections = listObjections(nic, facts);
  if (objections.length === 0) return undefined;
  const reason = `Making virtual functions resets ${nic.name}: ${objections.join('; ')}. dpdk.override: [${pci.address}] makes them all the same.`;
  return { kind: 'refused', reason };
}

/** A function whose own driver takes it a moment after it was made would be in the way; since 5.3 an override still binds. */
function probingSetting({ pci, nic }: Chosen): Setting {
  return {
    id: `dpdk.vf-autoprobe@${nic?.name ?? pci.address}`,
    stage: 'shape',
    tunable: { kind: 'file', path: `/sys/bus/pci/devices/${pci.address}/sriov_drivers_autoprobe`, format: 'integer' },
    value: '0',
    why: 'No driver of the kernel takes the virtual functions that come: they are for vfio-pci.',
    ifRefused: 'fail',
    disruption: 'none',
  };
}

/** The kernel takes another number only after zero (EBUSY). */
function makingSetting(id: string, { pci, nic }: Chosen, count: number): Setting {
  const path = `/sys/bus/pci/devices/${pci.address}/sriov_numvfs`;
  return {
    id,
    stage: 'shape',
    tunable: { kind: 'file', path, format: 'integer', primer: { path, text: '0' } },
    value: String(count),
    why: 'Parts of the NIC that programs drive, while the kernel keeps the rest, its addresses and its clock.',
    ifRefused: 'fail',
    disruption: 'link',
    ...(nic !== undefined && { interface: nic.name }),
  };
}

function desireSettings({ nic }: Chosen, index: number, wanted: VfsWanted): readonly Setting[] {
  if (nic === undefined) return [];
  const { vlan, trust, spoofCheck, maxRateMbps, macs } = wanted;
  const values: readonly (readonly [VfTunable['attribute'], string | undefined, string])[] = [
    ['mac', macs?.[index], 'The address stays the same over boots, for switches and for the process.'],
    ['vlan', text(vlan), 'The NIC tags what it sends and gives it only what has this tag.'],
    ['spoofchk', toggle(spoofCheck), 'Whether it may send from another address than its own.'],
    ['trust', toggle(trust), 'Whether it may set its own address and see all packets.'],
    ['max_tx_rate', text(maxRateMbps), 'The most that it may send, in Mbit/s.'],
  ];
  return values.flatMap(([attribute, value, why]): readonly Setting[] => {
    if (value === undefined) return [];
    const tunable: VfTunable = { kind: 'vf', device: nic.name, vf: index, attribute };
    const id = `dpdk.vf-${attribute}@${nic.name}/${index}`;
    return [{ id, stage: 'shape', tunable, value, why, ifRefused: 'skip', disruption: 'none', interface: nic.name }];
  });
}

function bindVf(address: string, taken: ReadonlySet<string>, dpdk: DpdkCase): readonly (Setting | Refusal)[] {
  const pci = dpdk.facts.nics.find((each) => each.address === address);
  if (pci === undefined) return [];
  return [desireBinding({ pci, nic: dpdk.machine.nics.find((nic) => nic.bus === address) }, taken, dpdk)];
}

function text(value: number | undefined): string | undefined {
  return value === undefined ? undefined : String(value);
}

function toggle(isOn: boolean | undefined): string | undefined {
  return isOn === undefined ? undefined : isOn ? 'on' : 'off';
}
