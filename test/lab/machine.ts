import { existsSync } from 'node:fs';
import { execa } from 'execa';
import type { GuestPlaces } from './places.ts';

/** Cards of the guest besides the one for management, by QEMU model. */
export const nicModels = ['igb', 'e1000e', 'vmxnet3', 'virtio'] as const;
export type NicModel = (typeof nicModels)[number];

export function isNicModel(text: string): text is NicModel {
  return (nicModels as readonly string[]).includes(text);
}

export interface MachineSpec {
  readonly disk: { readonly file: string; readonly format: 'raw' | 'qcow2' };
  readonly sshPort: number;
  readonly nics: readonly NicModel[];
  /** QEMU's major version. */
  readonly qemuMajor: number;
  /** Boots this kernel directly instead of GRUB from the disk; only the first boot of an image does. */
  readonly direct?: { readonly kernel: string; readonly initrd: string; readonly commandLine: string };
  /** Starts through UEFI firmware from the EFI system partition of a second disk, instead of SeaBIOS and GRUB. */
  readonly uefi?: { readonly variables: string; readonly esp: string };
  /** Of each of the two packages; 2 x 2 where none is given. */
  readonly cores?: PackageCores;
}

export interface PackageCores {
  readonly count: number;
  readonly threads: 1 | 2;
}

/** OVMF without Secure Boot; Debian package ovmf. */
export const uefiFirmware = '/usr/share/OVMF/OVMF_CODE_4M.fd';

const memoryPerNodeMib = 1536;
const usualCores: PackageCores = { count: 2, threads: 2 };

/**
 * QEMU's arguments for a two-socket server: 2 packages x 2 cores x 2 threads (or as asked for) on 2 NUMA nodes, IOMMU with interrupt
 * remapping, multi-queue disk and cards, and an i6300esb watchdog that resets the machine.
 */
export function listQemuArguments(spec: MachineSpec, places: GuestPlaces): string[] {
  return [
    ...['-name', 'hft-lab', '-M', 'q35,kernel-irqchip=split', '-accel', 'tcg,thread=multi'],
    ...listCpuArguments(spec.cores),
    // x2APIC, as on servers: eim=on lets the kernel use it with interrupt remapping; emulated since QEMU 9.
    ...['-device', `intel-iommu,intremap=on${spec.qemuMajor >= 9 ? ',eim=on' : ''}`],
    ...['-drive', `if=none,id=root,file=${spec.disk.file},format=${spec.disk.format},discard=unmap`],
    ...['-device', 'virtio-blk-pci,drive=root'],
    ...['-netdev', `user,id=management,hostfwd=tcp:127.0.0.1:${spec.sshPort}-:22`],
    ...['-device', 'virtio-net-pci,netdev=management,mac=52:54:00:12:34:01'],
    ...['-device', 'virtio-rng-pci', '-device', 'i6300esb', '-action', 'watchdog=reset'],
    // A management controller: its watchdog keeps running across a reset of the machine, as on real servers.
    ...['-device', 'ipmi-bmc-sim,id=bmc', '-device', 'isa-ipmi-kcs,bmc=bmc'],
    ...listNicArguments(spec.nics),
    ...['-display', 'none', '-vga', 'none'],
    ...['-chardev', `socket,id=console,path=${places.sockets.console},server=on,wait=off,logfile=${places.serialLog}`],
    ...['-serial', 'chardev:console'],
    ...['-qmp', `unix:${places.sockets.qmp},server=on,wait=off`],
    ...['-pidfile', places.pidFile, '-daemonize'],
    ...listDirectBootArguments(spec),
    ...listUefiArguments(spec),
  ];
}

function listCpuArguments({ count, threads }: PackageCores = usualCores): string[] {
  const perNode = count * threads;
  // `max` calls itself AMD, and the kernel then sees no SMT siblings without topoext: this is a Skylake server by name,
  // with everything that emulation can do.
  const cpu = 'max,vendor=GenuineIntel,family=6,model=85,stepping=4,model-id=hft lab CPU';
  const nodes = [0, 1].flatMap((node) => [
    ...['-object', `memory-backend-ram,id=memory${node},size=${memoryPerNodeMib}M`],
    ...['-numa', `node,nodeid=${node},memdev=memory${node},cpus=${node * perNode}-${(node + 1) * perNode - 1}`],
  ]);
  return [
    ...[
      '-cpu',
      cpu,
      '-smp',
      `${2 * perNode},sockets=2,cores=${count},threads=${threads}`,
      '-m',
      String(2 * memoryPerNodeMib),
    ],
    ...nodes,
    ...['-numa', 'dist,src=0,dst=1,val=21'],
  ];
}

/**
 * igb sits on NUMA node 1, e1000e on node 0, wired to each other; vmxnet3 and virtio say no node, as many virtual machines
 * do. A virtio card has several queues only on a tap; where a tap cannot be made it has one.
 */
function listNicArguments(nics: readonly NicModel[]): string[] {
  const multiQueue = existsSync('/dev/net/tun') && process.getuid?.() === 0;
  const tap = 'tap,id=virtio,queues=4,ifname=hftlab%d,script=no,downscript=no';
  const byModel: Readonly<Record<NicModel, readonly string[]>> = {
    igb: [
      ...['-device', 'pxb-pcie,id=socket1,bus_nr=128,numa_node=1,bus=pcie.0'],
      ...['-device', 'pcie-root-port,id=port1,bus=socket1,chassis=1,slot=1'],
      ...['-netdev', 'hubport,id=igb,hubid=1', '-device', 'igb,bus=port1,netdev=igb,mac=52:54:00:12:34:02'],
    ],
    e1000e: [
      ...['-device', 'pxb-pcie,id=socket0,bus_nr=64,numa_node=0,bus=pcie.0'],
      ...['-device', 'pcie-root-port,id=port2,bus=socket0,chassis=2,slot=2'],
      ...['-netdev', 'hubport,id=e1000e,hubid=1', '-device', 'e1000e,bus=port2,netdev=e1000e,mac=52:54:00:12:34:03'],
    ],
    vmxnet3: [
      ...['-device', 'pcie-root-port,id=port3,bus=pcie.0,chassis=3,slot=3'],
      ...['-netdev', 'user,id=vmxnet3,restrict=on,net=10.10.4.0/24'],
      ...['-device', 'vmxnet3,bus=port3,netdev=vmxnet3,mac=52:54:00:12:34:04'],
    ],
    virtio: multiQueue
      ? ['-netdev', tap, '-device', 'virtio-net-pci,bus=pcie.0,netdev=virtio,mq=on,vectors=10,mac=52:54:00:12:34:05']
      : [
          ...['-netdev', 'user,id=virtio,restrict=on,net=10.10.5.0/24'],
          ...['-device', 'virtio-net-pci,bus=pcie.0,netdev=virtio,mac=52:54:00:12:34:05'],
        ],
  };
  return nics.flatMap((nic) => byModel[nic]);
}

function listDirectBootArguments({ direct }: MachineSpec): string[] {
  if (direct === undefined) return [];
  return ['-kernel', direct.kernel, '-initrd', direct.initrd, '-append', direct.commandLine];
}

/** The firmware looks at the disk with a bootindex alone: without one it tries to boot from every card first. */
function listUefiArguments({ uefi }: MachineSpec): string[] {
  if (uefi === undefined) return [];
  return [
    ...['-drive', `if=pflash,unit=0,format=raw,readonly=on,file=${uefiFirmware}`],
    ...['-drive', `if=pflash,unit=1,format=raw,file=${uefi.variables}`],
    ...['-drive', `if=none,id=esp,format=raw,file=${uefi.esp}`, '-device', 'virtio-blk-pci,drive=esp,bootindex=0'],
  ];
}

export async function readQemuMajor(): Promise<number> {
  const { stdout } = await execa('qemu-system-x86_64', ['--version']);
  return Number(/version (\d+)\./.exec(stdout)?.[1] ?? 0);
}

/** The models this QEMU has: igb came with version 8. */
export async function listAvailableNics(): Promise<NicModel[]> {
  const { stdout } = await execa('qemu-system-x86_64', ['-device', 'help']);
  return nicModels.filter((nic) => nic === 'virtio' || stdout.includes(`"${nic}"`));
}
