import { HostError } from '../../src/errors.ts';
import { dpdkDomain } from '../../src/tuning/dpdk/dpdk.ts';
import { dpdkWanted } from '../../src/tuning/dpdk/schema.ts';
import type { FakeHost } from '../fake-host.ts';
import { makeRig, type Rig, wantedOf } from './rig.ts';

/** The trading NIC of the made-up machine, and the one that it is managed through. */
export const NIC = '0000:01:00.0';
const MANAGEMENT = '0000:00:02.0';
/** Its virtual functions, when they are made. */
export const FUNCTIONS = ['0000:01:10.0', '0000:01:10.2'];
export const MACS = ['02:00:00:00:00:01', '02:00:00:00:00:02'];
const DEVICES = '/sys/bus/pci/devices';
const NET = '/sys/class/net/enp1s0';
/** Of its one interrupt, which goes and comes with the driver. */
export const AFFINITY = '/proc/irq/40/smp_affinity_list';

export function dpdkOf(part: Record<string, unknown>) {
  return wantedOf('dpdk', { dpdk: dpdkWanted.parse({ iommu: 'leave', ...part }) as never });
}

export const TAKES = dpdkOf({ devices: ['enp1s0'] });

export interface PciShape {
  /** false: no IOMMU group, so vfio-pci refuses the device. */
  readonly hasIommu?: boolean;
  readonly override?: string;
}

/**
 * Two NICs on a PCI bus that behaves as the kernel's does: a driver goes with its interface and all that was set on it, and
 * comes with defaults. What the machine has is kept as files, so that it can be compared.
 */
export function makePciRig(shape: PciShape = {}): Rig {
  const rig = makeRig();
  const { host } = rig;
  addDevice(host, MANAGEMENT, { driver: 'virtio-pci', vendor: '0x1af4', group: '2' });
  addDevice(host, NIC, { driver: 'igb', vendor: '0x8086', ...(shape.hasIommu !== false && { group: '11' }) });
  if (shape.override !== undefined) host.files.set(`${DEVICES}/${NIC}/driver_override`, `${shape.override}\n`);
  const sriov = { sriov_totalvfs: '7', sriov_numvfs: '0', sriov_drivers_autoprobe: '1' };
  for (const [file, text] of Object.entries(sriov)) host.files.set(`${DEVICES}/${NIC}/${file}`, `${text}\n`);
  host.files.set('/sys/class/iommu/dmar0/name', 'dmar0\n');
  for (const driver of ['igb', 'igbvf', 'vfio-pci', 'virtio-pci'])
    for (const file of ['bind', 'unbind']) host.files.set(`/sys/bus/pci/drivers/${driver}/${file}`, '');
  host.files.set('/sys/bus/pci/drivers_probe', '');
  host.files.set('/proc/net/route', ROUTES);
  addInterface(host, 'enp0s2', MANAGEMENT, 'virtio-pci');
  addInterface(host, 'enp1s0', NIC, 'igb');
  for (const [file, text] of Object.entries(AS_SET)) host.files.set(`${NET}/${file}`, text);
  host.files.set(AFFINITY, '2\n');
  obeyBus(host);
  answerCommands(host);
  return { ...rig, engine: { ...rig.engine, domains: [dpdkDomain] } };
}

const ROUTES = `Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
enp0s2\t00000000\t0202000A\t0003\t0\t0\t0\t00000000\t0\t0\t0
`;

/** What the driver comes with, and what an administrator made of it. */
const DEFAULTS = {
  flags: '0x1002\n',
  mtu: '1500\n',
  tx_queue_len: '1000\n',
  'queues/tx-0/xps_cpus': '00\n',
  'device/msi_irqs/40': 'msix\n',
  'sim-ring': '256\n',
  'sim-address': '\n',
  'sim-route': '\n',
  'sim-neighbour': '\n',
  'sim-rule': '\n',
  'sim-qdisc': 'mq 0:\n',
};
const AS_SET = {
  flags: '0x1003\n',
  mtu: '9000\n',
  tx_queue_len: '200\n',
  'queues/tx-0/xps_cpus': '04\n',
  'sim-neighbour': '10.80.0.7\n',
  'sim-rule': '7\n',
  'sim-qdisc': 'noqueue 8001:\n',
  'sim-ring': '4096\n',
  'sim-address': '10.80.0.1\n',
  'sim-route': '10.9.0.0/16\n',
};

function addDevice(host: FakeHost, address: string, device: { driver: string; vendor: string; group?: string }): void {
  const folder = `${DEVICES}/${address}`;
  const files = {
    class: '0x020000',
    vendor: device.vendor,
    device: '0x10c9',
    driver_override: '(null)',
    numa_node: '0',
  };
  for (const [file, text] of Object.entries(files)) host.files.set(`${folder}/${file}`, `${text}\n`);
  setDriver(host, address, device.driver);
  if (device.group === undefined) return;
  host.links.set(`${folder}/iommu_group`, `../../../../kernel/iommu_groups/${device.group}`);
  host.files.set(`/sys/kernel/iommu_groups/${device.group}/devices/${address}`, '');
}

function addInterface(host: FakeHost, name: string, address: string, driver: string): void {
  const folder = `/sys/class/net/${name}`;
  host.links.set(folder, `../../devices/pci0000:00/${address}/net/${name}`);
  host.links.set(`${folder}/device`, `../../../${address}`);
  host.links.set(`${folder}/device/driver`, `../../../bus/pci/drivers/${driver}`);
  const files = { ...DEFAULTS, carrier: '1\n', speed: '1000\n', address: '52:54:00:77:00:05\n' };
  for (const [file, text] of Object.entries(files)) host.files.set(`${folder}/${file}`, text);
  host.files.set(`${DEVICES}/${address}/net/${name}/mtu`, '1500\n');
  if (name !== 'enp1s0') return;
  host.files.set('/sys/kernel/irq/40/actions', 'enp1s0-TxRx-0\n');
  host.files.set(AFFINITY, '0-7\n');
}

/** The driver of a device, as a link and as a file that comparisons see. */
function setDriver(host: FakeHost, address: string, driver: string | undefined): void {
  const link = `${DEVICES}/${address}/driver`;
  if (driver === undefined) host.links.delete(link);
  else host.links.set(link, `../../../bus/pci/drivers/${driver}`);
  host.files.set(`/sim/${address}/driver`, `${driver}\n`);
}

function driverOf(host: FakeHost, address: string): string | undefined {
  return host.links.get(`${DEVICES}/${address}/driver`)?.split('/').pop();
}

function obeyBus(host: FakeHost): void {
  const set = host.files.set.bind(host.files);
  host.files.set = (path, text) => {
    const word = text.trim();
    if (path.endsWith('/driver_override')) return set(path, `${word || '(null)'}\n`);
    if (path.endsWith('/sriov_numvfs')) setFunctions(host, Number(host.files.get(path)), Number(word));
    const unbound = /^\/sys\/bus\/pci\/drivers\/([^/]+)\/unbind$/.exec(path)?.[1];
    if (unbound !== undefined) {
      if (driverOf(host, word) !== unbound) throw new HostError('write', path, 'ENODEV');
      if (word === NIC) removeInterface(host);
      setDriver(host, word, undefined);
      return host.files;
    }
    if (path !== '/sys/bus/pci/drivers_probe') return set(path, text);
    probe(host, word);
    return host.files;
  };
}

function removeInterface(host: FakeHost): void {
  for (const map of [host.files, host.links]) {
    for (const path of [...map.keys()])
      if (
        path === NET ||
        path.startsWith(`${NET}/`) ||
        path.startsWith(`${DEVICES}/${NIC}/net/`) ||
        /\/irq\/40\//.test(path)
      )
        map.delete(path);
  }
}

function probe(host: FakeHost, address: string): void {
  if (driverOf(host, address) !== undefined) return;
  const override = host.files.get(`${DEVICES}/${address}/driver_override`)?.trim();
  const own = address === NIC ? 'igb' : 'igbvf';
  const driver = override === '(null)' ? own : override;
  if (driver === 'vfio-pci' && !host.links.has(`${DEVICES}/${address}/iommu_group`)) return;
  setDriver(host, address, driver);
  if (driver === 'igb') addInterface(host, 'enp1s0', address, 'igb');
}

/** What virtual functions come with: no driver where the physical one says so. */
function setFunctions(host: FakeHost, before: number, after: number): void {
  if (before !== 0 && after !== 0 && before !== after) throw new HostError('write', 'sriov_numvfs', 'EBUSY');
  if (before === after) return;
  for (const [index, address] of FUNCTIONS.entries()) {
    for (const map of [host.files, host.links])
      for (const path of [...map.keys()])
        if (path.includes(address) || path.includes(`virtfn${index}`)) map.delete(path);
    host.files.delete(`/sim/vf${index}`);
    if (index >= after) continue;
    const isLeftAlone = host.files.get(`${DEVICES}/${NIC}/sriov_drivers_autoprobe`)?.trim() === '0';
    addDevice(host, address, { driver: 'igbvf', vendor: '0x8086', group: String(20 + index) });
    if (isLeftAlone) setDriver(host, address, undefined);
    host.links.set(`${DEVICES}/${NIC}/virtfn${index}`, `../${address}`);
    host.files.set(`/sim/vf${index}`, '00:00:00:00:00:00\n');
  }
}

/** As ethtool 6.1 shows it; a field whose mask is all ones does not count. */
const ruleAt = (location: string) => `Filter: ${location}
\tRule Type: UDP over IPv4
\tSrc IP addr: 0.0.0.0 mask: 255.255.255.255
\tDest IP addr: 239.1.1.1 mask: 0.0.0.0
\tTOS: 0x0 mask: 0xff
\tSrc port: 0 mask: 0xffff
\tDest port: 5000 mask: 0x0
\tAction: Direct to queue 0

`;

function answerCommands({ commands }: FakeHost): void {
  const read = (host: FakeHost, file: string) => host.files.get(`${NET}/${file}`)?.trim() ?? '';
  const put = (file: string, text: string) => (host: FakeHost) => {
    host.files.set(`${NET}/${file}`, `${text}\n`);
    return '';
  };
  const rings = (size: string) => `RX:\t\t${size}\nRX Mini:\tn/a\nRX Jumbo:\tn/a\nTX:\t\t${size}\n`;
  commands.set('ethtool -g enp1s0', (host) => {
    const set = `Current hardware settings:\n${rings(read(host, 'sim-ring'))}`;
    return `Ring parameters for enp1s0:\nPre-set maximums:\n${rings('4096')}${set}`;
  });
  commands.set('ethtool', { found: true, exitCode: 1, stdout: '', stderr: 'netlink error: Operation not supported\n' });
  commands.set('ethtool -G enp1s0 rx 4096 tx 4096', put('sim-ring', '4096'));
  commands.set('ip -j addr show dev enp1s0', (host) => {
    const local = read(host, 'sim-address');
    const info = local === '' ? [] : [{ family: 'inet', local, prefixlen: 24, scope: 'global' }];
    return JSON.stringify([{ ifname: 'enp1s0', addr_info: info }]);
  });
  commands.set('ip -j -4 route show dev enp1s0', (host) => {
    const dst = read(host, 'sim-route');
    const connected = { dst: '10.80.0.0/24', protocol: 'kernel', scope: 'link' };
    return JSON.stringify(dst === '' ? [connected] : [connected, { dst, gateway: '10.80.0.254', protocol: 'static' }]);
  });
  commands.set('ip -j neigh show dev enp1s0 nud permanent', (host) => {
    const dst = read(host, 'sim-neighbour');
    return JSON.stringify(dst === '' ? [] : [{ dst, lladdr: '52:54:00:00:00:07', state: ['PERMANENT'] }]);
  });
  commands.set(
    'ip neigh replace 10.80.0.7 lladdr 52:54:00:00:00:07 dev enp1s0 nud permanent',
    put('sim-neighbour', '10.80.0.7'),
  );
  commands.set('ethtool -n enp1s0', (host) => {
    const location = read(host, 'sim-rule');
    return `1 RX rings available\nTotal ${location === '' ? 0 : 1} rules\n\n${location === '' ? '' : ruleAt(location)}`;
  });
  const rule = 'flow-type udp4 dst-ip 239.1.1.1 m 0.0.0.0 dst-port 5000 m 0x0 action 0 loc 7';
  commands.set(`ethtool -N enp1s0 ${rule}`, put('sim-rule', '7'));
  const qdiscs = (host: FakeHost) => {
    const [kind, handle] = read(host, 'sim-qdisc').split(' ');
    return `${JSON.stringify([{ kind, handle, root: true }])}\n`;
  };
  for (const asked of ['', ' root']) commands.set(`tc -j qdisc show dev enp1s0${asked}`, qdiscs);
  commands.set('tc qdisc del dev enp1s0 root', put('sim-qdisc', 'mq 0:'));
  commands.set('tc qdisc replace dev enp1s0 root noqueue', put('sim-qdisc', 'noqueue 8001:'));
  commands.set('ip', '[]');
  commands.set('ip -j link show dev enp1s0', ({ files }) => {
    const list = FUNCTIONS.flatMap((_, vf) => {
      const address = files.get(`/sim/vf${vf}`)?.trim();
      return address === undefined ? [] : [{ vf, address }];
    });
    return JSON.stringify([{ ifname: 'enp1s0', vfinfo_list: list }]);
  });
  for (const [vf, mac] of MACS.entries()) {
    commands.set(`ip link set dev enp1s0 vf ${vf} mac ${mac}`, ({ files }) => {
      files.set(`/sim/vf${vf}`, `${mac}\n`);
      return '';
    });
    commands.set(`ip link set dev enp1s0 vf ${vf} mac 00:00:00:00:00:00`, ({ files }) => {
      files.set(`/sim/vf${vf}`, '00:00:00:00:00:00\n');
      return '';
    });
  }
  commands.set('udevadm', '');
  commands.set('ip link set dev enp1s0 up', put('flags', '0x1003'));
  commands.set('ip addr replace 10.80.0.1/24 dev enp1s0', put('sim-address', '10.80.0.1'));
  const route = 'ip route replace 10.9.0.0/16 via 10.80.0.254 dev enp1s0 proto static';
  commands.set(route, put('sim-route', '10.9.0.0/16'));
}
