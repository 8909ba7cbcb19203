import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { buildWhenStale, cleanEnvironment, transcribe } from './run-hft.ts';
import { writeSmallServer } from './small-server.ts';

const environment = cleanEnvironment();
const cwd = environment.HOME as string;
const options = { environment, cwd };

const ROLES = 'layout: { nic: ens1f0, isolated: { cores: most } }\n';
const FILES: Record<string, string> = {
  'dpdk.yaml': `${ROLES}dpdk: { iommu: leave, devices: [trading], eal: { memoryPerNode: 1G, workers: 2 } }\n`,
  'management.yaml': `${ROLES}dpdk: { iommu: leave, devices: [ens2, "pci=0000:99:00.0"] }\n`,
  'greedy.yaml': `${ROLES}dpdk: { iommu: leave, devices: [trading], eal: { memoryPerNode: 64G } }\n`,
  'desk.yaml':
    'profile: ./dpdk.yaml\nprocesses:\n  md:\n    command: [/opt/md, "{eal}", --, --feed]\n    cpus: { count: 2 }\n    threads: { "*": housekeeping }\n    memory: { hugepages: { 1G: 1 } }\n  log:\n    command: [/opt/log]\n    cpus: housekeeping\n',
};

/** Two ports of an ice on node 0, each in an IOMMU group of its own; ens2 has the default route. */
function writePorts(folder: string): void {
  const files: Record<string, string> = {
    'proc/net/route':
      'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\nens2\t00000000\t0102000A\t0003\t0\t0\t0\t00000000\t0\t0\t0',
    'sys/class/iommu/dmar0/name': 'dmar0',
    'sys/bus/pci/drivers/vfio-pci/new_id': '',
    'sys/devices/system/node/node0/hugepages/hugepages-1048576kB/nr_hugepages': '4',
    'sys/devices/system/node/node0/hugepages/hugepages-1048576kB/free_hugepages': '4',
    'sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages': '4',
  };
  for (const [index, name] of ['ens1f0', 'ens2'].entries()) {
    const address = `0000:3b:00.${index}`;
    const device = `sys/bus/pci/devices/${address}`;
    Object.assign(files, {
      [`${device}/class`]: '0x020000',
      [`${device}/vendor`]: '0x8086',
      [`${device}/device`]: '0x1592',
      [`${device}/numa_node`]: '0',
      [`sys/kernel/iommu_groups/${40 + index}/devices/${address}`]: '',
      [`${device}/net/${name}/flags`]: '0x1003',
      [`${device}/net/${name}/mtu`]: '1500',
      [`${device}/net/${name}/carrier`]: '1',
      [`${device}/net/${name}/speed`]: '25000',
      [`${device}/ptp/ptp${index}/clock_name`]: 'ice',
      [`commands/addr-${name}.txt`]: `$ ["ip","-j","addr","show","dev","${name}"]\nexit 0\n\n[{"addr_info":[{"local":"10.80.${index}.1","prefixlen":24,"scope":"global"}]}]`,
      [`commands/route4-${name}.txt`]: `$ ["ip","-j","-4","route","show","dev","${name}"]\nexit 0\n\n[]`,
      [`commands/route6-${name}.txt`]: `$ ["ip","-j","-6","route","show","dev","${name}"]\nexit 0\n\n[]`,
      [`commands/neighbours-${name}.txt`]: `$ ["ip","-j","neigh","show","dev","${name}","nud","permanent"]\nexit 0\n\n[]`,
      [`commands/rings-${name}.txt`]: `$ ["ethtool","-g","${name}"]\nexit 0\n\nRing parameters for ${name}:\nPre-set maximums:\nRX:\t\t8160\nTX:\t\t8160\nCurrent hardware settings:\nRX:\t\t2048\nTX:\t\t2048`,
    });
  }
  for (const [name, text] of Object.entries(files)) write(join(folder, name), `${text}\n`);
  for (const [index, name] of ['ens1f0', 'ens2'].entries()) {
    const device = join(folder, `sys/bus/pci/devices/0000:3b:00.${index}`);
    symlinkSync('../../../../bus/pci/drivers/ice', join(device, 'driver'));
    symlinkSync(`../../../../kernel/iommu_groups/${40 + index}`, join(device, 'iommu_group'));
    symlinkSync('../..', join(device, `net/${name}/device`));
    mkdirSync(join(folder, 'sys/class/net'), { recursive: true });
    symlinkSync(`../../bus/pci/devices/0000:3b:00.${index}/net/${name}`, join(folder, 'sys/class/net', name));
  }
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

beforeAll(() => {
  buildWhenStale();
  writeSmallServer(join(cwd, 'box7'));
  writePorts(join(cwd, 'box7'));
  for (const [name, text] of Object.entries(FILES)) writeFileSync(join(cwd, name), text);
});

test('a NIC for DPDK: what it loses, what refuses it, and the arguments for its processes', async () => {
  const lines = [
    'hft plan --profile ./dpdk.yaml --snapshot box7',
    'COLUMNS=200 hft plan --profile ./dpdk.yaml --snapshot box7',
    'hft plan --profile ./management.yaml --snapshot box7',
    'hft dpdk eal --profile ./dpdk.yaml --snapshot box7',
    'hft dpdk eal --deployment ./desk.yaml --process md --snapshot box7 --json',
    'hft dpdk eal --profile ./greedy.yaml --snapshot box7',
    'hft dpdk eal --profile ./management.yaml --snapshot box7',
    'hft dpdk eal --deployment ./desk.yaml --process log --snapshot box7',
    'hft dpdk eal --deployment ./desk.yaml --process mdx --snapshot box7',
    'hft dpdk eal --process md',
    'hft dpdk eal --deployment ./desk.yaml',
    'hft verify dpdk --vdev net_pcap',
    'hft verify dpdk --bursts 0',
    'hft verify dpdk --help',
    'hft dpdk eal --help',
  ];
  await expect(transcribe(lines, options)).toMatchFileSnapshot('transcripts/dpdk.txt');
});
