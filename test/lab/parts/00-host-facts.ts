import type { Check } from '../check.ts';
import type { Guest } from '../guest.ts';

export const name = 'the machine under test is the two-socket server that the lab promises';

export async function run(guest: Guest, check: Check): Promise<void> {
  const cpus = JSON.parse(await guest.read('lscpu -e=CPU,CORE,SOCKET,NODE,ONLINE -J')) as {
    cpus: { cpu: number; core: number; socket: number; node: number; online: boolean }[];
  };
  const count = (key: 'cpu' | 'core' | 'socket' | 'node') => new Set(cpus.cpus.map((cpu) => cpu[key])).size;
  check(count('cpu') === 8 && cpus.cpus.every((cpu) => cpu.online), '8 CPUs are online', count('cpu'));
  check(count('core') === 4, '4 cores, so every core has two SMT siblings', count('core'));
  check(count('socket') === 2 && count('node') === 2, '2 packages on 2 NUMA nodes', [count('socket'), count('node')]);

  const release = await guest.read('uname -r; cat /sys/kernel/realtime 2>/dev/null || true');
  const realtime = release.split('\n')[1] === '1';
  check(
    realtime === (guest.record.kernel !== 'stock'),
    `the running kernel is the ${guest.record.kernel} one`,
    release,
  );

  const groups = await guest.read('ls /sys/kernel/iommu_groups | wc -l; grep -c IR- /proc/interrupts');
  check(
    groups.split('\n').every((line) => Number(line) > 0),
    'interrupts go through the IOMMU (IR- chips)',
    groups,
  );
  await checkNics(guest, check);

  const watchdog = await guest.read('modprobe i6300esb; cat /sys/class/watchdog/watchdog0/identity');
  check(watchdog === 'i6300ESB timer', 'the hardware watchdog is an i6300esb', watchdog);
}

async function checkNics(guest: Guest, check: Check): Promise<void> {
  const listing = await guest.read(
    'for n in /sys/class/net/*; do [ ! -e $n/device ] || echo "$(basename $n) $(basename $(readlink -f $n/device/driver)) ' +
      '$(ls -d $n/queues/rx-* | wc -l) $(cat $n/device/numa_node 2>/dev/null || echo -1) $(cat $n/operstate)"; done',
  );
  const nics = listing.split('\n').map((line) => {
    const [nic = '', driver = '', queues = '', node = '', state = ''] = line.split(' ');
    return { nic, driver, queues: Number(queues), node: Number(node), state };
  });
  const expected = { igb: { queues: 8, node: 1 }, e1000e: { queues: 1, node: 0 }, vmxnet3: { queues: 8, node: -1 } };
  for (const [driver, { queues, node }] of Object.entries(expected)) {
    if (!guest.record.nics.some((model) => model === driver)) continue;
    const nic = nics.find((entry) => entry.driver === driver);
    check(nic?.queues === queues, `${driver} has ${queues} receive queues`, nic);
    check(nic?.node === node && nic.state === 'up', `${driver} is up and on NUMA node ${node}`, nic);
    const irqs = await guest.read(`grep -c '${nic?.nic}' /proc/interrupts`);
    check(Number(irqs) > queues, `${driver} has an interrupt per queue and one more`, irqs);
  }
  const virtio = nics.filter((entry) => entry.driver === 'virtio_net');
  check(virtio.length >= 1 && virtio.every((nic) => nic.state === 'up'), 'the virtio cards are up', virtio);
}
