import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Writes a snapshot: one package of four cores with two threads each, one NUMA node, 16 GiB, one 25 Gbit/s NIC. */
export function writeSmallServer(folder: string): void {
  const files: Record<string, string> = {
    'proc/cmdline': 'BOOT_IMAGE=/boot/vmlinuz-6.1.0-18-amd64 root=/dev/vda1 ro',
    'proc/cpuinfo': Array.from({ length: 8 }, (_, cpu) => `processor\t: ${cpu}\nvendor_id\t: GenuineIntel\n`).join(
      '\n',
    ),
    'proc/sys/kernel/hostname': 'box7',
    'proc/sys/kernel/osrelease': '6.1.0-18-amd64',
    'proc/sys/vm/swappiness': '60',
    'sys/devices/system/cpu/online': '0-7',
    'sys/devices/system/cpu/possible': '0-7',
    'sys/devices/system/cpu/present': '0-7',
    'sys/devices/system/node/online': '0',
    'sys/devices/system/node/node0/cpulist': '0-7',
    'sys/devices/system/node/node0/distance': '10',
    'sys/devices/system/node/node0/meminfo': 'Node 0 MemTotal: 16777216 kB',
  };
  for (let cpu = 0; cpu < 8; cpu++) {
    const path = `sys/devices/system/cpu/cpu${cpu}/topology`;
    const threads = `${cpu % 4},${(cpu % 4) + 4}`;
    files[`${path}/physical_package_id`] = '0';
    files[`${path}/core_id`] = `${cpu % 4}`;
    files[`${path}/thread_siblings_list`] = threads;
    files[`${path}/core_cpus_list`] = threads;
    files[`${path}/package_cpus_list`] = '0-7';
  }
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), `${text}\n`);
  }
}
