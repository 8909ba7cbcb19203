import type { Check } from '../check.ts';
import type { Guest } from '../guest.ts';
import { endOf, hft, hftJson, needHft, waitForTuneUnit, writeProfile } from '../hft.ts';

export const name =
  'NICs for DPDK: taken, forwarding, there after a reboot, given back whole; virtual functions; refusals';
export const kernels = ['stock'] as const;

interface Plan {
  readonly changes: readonly { readonly id: string; readonly current: string | null; readonly why: string }[];
  readonly refused: readonly { readonly id: string; readonly reason: string }[];
}

interface Verification {
  readonly results: readonly {
    readonly id: string;
    readonly status: string;
    readonly actual: string | null;
    readonly evidence: string;
  }[];
}

/** A card of the guest, found by its driver. */
interface Card {
  readonly name: string;
  readonly address: string;
}

export async function run(guest: Guest, check: Check): Promise<void> {
  await needHft(guest);
  const cards = await findCards(guest);
  const groups = await Promise.all(cards.map(({ address }) => readGroup(guest, address)));
  check(
    groups.every((group) => group !== ''),
    'the IOMMU is on: both cards have a group',
    groups,
  );
  if (guest.record.nics.includes('igb')) await makeFunctions(guest, check, cards[0] as Card);
  await refuse(guest, check, cards);
  await installTestpmd(guest, check);
  await takeAndGiveBack(guest, check, cards);
}

/** igb, where this QEMU has it, and e1000e, which is wired to it. */
async function findCards(guest: Guest): Promise<readonly Card[]> {
  const drivers = guest.record.nics.includes('igb') ? ['igb', 'e1000e'] : ['e1000e'];
  return Promise.all(
    drivers.map(async (driver) => {
      const name = await guest.read(`basename /sys/bus/pci/drivers/${driver}/0*/net/*`);
      return { name, address: await guest.read(`basename $(readlink -f /sys/class/net/${name}/device)`) };
    }),
  );
}

async function readGroup(guest: Guest, address: string): Promise<string> {
  return guest.read(`basename $(readlink /sys/bus/pci/devices/${address}/iommu_group) 2>/dev/null`, {
    allowFail: true,
  });
}

async function readDriver(guest: Guest, address: string): Promise<string> {
  return guest.read(`basename $(readlink /sys/bus/pci/devices/${address}/driver) 2>/dev/null`, { allowFail: true });
}

async function installTestpmd(guest: Guest, check: Check): Promise<void> {
  const install = 'apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends';
  const installed = await guest.ssh(`command -v dpdk-testpmd || { ${install} dpdk-dev; }`, {
    allowFail: true,
    timeoutS: 3600,
  });
  check(installed.code === 0, 'dpdk-testpmd is installed', endOf(installed));
}

/** What a card has that goes with its driver, without what is counted. */
async function describeCard(guest: Guest, { name, address }: Card): Promise<string> {
  const parts = [
    `readlink /sys/bus/pci/devices/${address}/driver`,
    `cat /sys/bus/pci/devices/${address}/driver_override`,
    `ip -o addr show dev ${name} scope global | awk '{print $3, $4}'`,
    `ip route show dev ${name} proto static`,
    `cat /sys/class/net/${name}/mtu /sys/class/net/${name}/operstate`,
    `ethtool -g ${name}; ethtool -l ${name}; ethtool -c ${name}; ethtool -a ${name}; ethtool -k ${name}`,
    `cat /sys/bus/pci/devices/${address}/ptp/*/clock_name | wc -l`,
  ];
  return guest.read(`{ ${parts.join('; ')}; } 2>&1`, { allowFail: true });
}

async function setUp(guest: Guest, cards: readonly Card[]): Promise<void> {
  for (const [index, { name }] of cards.entries()) {
    await guest.ssh(`ip addr add 10.80.${index}.1/24 dev ${name} && ip link set ${name} up`);
    await guest.ssh(`ethtool -G ${name} rx 512 tx 512`, { allowFail: true });
    await guest.ssh(`ip route add 10.9${index}.0.0/16 via 10.80.${index}.254 dev ${name} proto static`);
  }
  await guest.ssh('sleep 5');
}

async function takeAndGiveBack(guest: Guest, check: Check, cards: readonly Card[]): Promise<void> {
  await setUp(guest, cards);
  const before = await Promise.all(cards.map((card) => describeCard(guest, card)));
  await writeProfile(guest, 'dpdk', profileOf(`devices: [${cards.map(({ name }) => name).join(', ')}]`));
  const { json: plan } = await hftJson<Plan>(guest, 'plan --profile /root/dpdk.yaml');
  for (const [index, card] of cards.entries()) {
    const why = plan.changes.find(({ id }) => id === `dpdk.driver@${card.address}`)?.why ?? '';
    const isWhole = [card.name, `10.80.${index}.1/24`, 'rings 512/512', 'PTP clock'].every((lost) =>
      why.includes(lost),
    );
    check(isWhole, `the plan says what ${card.name} loses: address, rings, clock`, why);
  }
  const tuned = await hft(guest, 'tune --profile /root/dpdk.yaml --yes', 900);
  check(tuned.code === 0 || tuned.code === 5, 'hft tune takes them', endOf(tuned));
  await checkTaken(guest, check, cards, 'after the tune');
  await forward(guest, check, cards, 'after the tune');
  await guest.reboot(900);
  const unit = await waitForTuneUnit(guest);
  check(unit === 'active', 'hft-tune.service ended well', unit);
  await checkTaken(guest, check, cards, 'after a reboot');
  await forward(guest, check, cards, 'after a reboot');
  const undone = await hft(guest, 'rollback --all', 900);
  check(undone.code === 0, 'hft rollback --all ends with 0', endOf(undone));
  await guest.ssh('sleep 5');
  for (const [index, card] of cards.entries()) {
    const after = await describeCard(guest, card);
    check(after === before[index], `${card.name} has driver, rings, address, route, link and clock as before`, [
      before[index],
      after,
    ]);
  }
  const files = await guest.read('ls /etc/udev/rules.d/60-hft-dpdk.rules /etc/modules-load.d/hft-dpdk.conf 2>&1', {
    allowFail: true,
  });
  check(!/^\/etc/m.test(files), 'neither rule nor modules file is left', files);
  await guest.reboot(900);
  const drivers = await Promise.all(cards.map(({ address }) => readDriver(guest, address)));
  check(!drivers.includes('vfio-pci'), 'the boot after it leaves them with the kernel', drivers);
}

/** A few hugepages on each node; the guest has little memory. */
function profileOf(part: string): string {
  return `
layout: { isolated: { cores: most } }
memory: { hugepages: { 2M: { pagesPerNode: 160, nodes: all } } }
dpdk: { iommu: leave, ${part} }
`;
}

async function checkTaken(guest: Guest, check: Check, cards: readonly Card[], when: string): Promise<void> {
  const drivers = await Promise.all(cards.map(({ address }) => readDriver(guest, address)));
  check(
    drivers.every((driver) => driver === 'vfio-pci'),
    `${when} vfio-pci has them`,
    drivers,
  );
  const links = await guest.read(`ls /sys/class/net`);
  check(
    !cards.some(({ name }) => links.split('\n').includes(name)),
    `${when} the kernel has no interface of them`,
    links,
  );
  const plan = await hft(guest, 'plan --profile /root/dpdk.yaml');
  check(plan.code === 0, `${when} hft plan has nothing left to do`, endOf(plan));
}

async function forward(guest: Guest, check: Check, cards: readonly Card[], when: string): Promise<void> {
  const ports = cards.map(({ address }) => `--port ${address}`).join(' ');
  const { json } = await hftJson<Verification>(guest, `verify dpdk --profile /root/dpdk.yaml ${ports} --duration 5s`);
  const traffic = json.results.find(({ id }) => id.startsWith('dpdk.traffic@'));
  // One card alone has nobody that sends back what it sent.
  const wanted = cards.length > 1 ? 'pass' : 'unknown';
  check(traffic?.status === wanted, `${when} testpmd forwards and everything arrives`, traffic);
  const others = json.results.filter(({ id, status }) => id !== traffic?.id && status !== 'pass');
  check(others.length === 0, `${when} groups, drivers and hugepages are right`, others);
  const eal = await hft(guest, 'dpdk eal --profile /root/dpdk.yaml');
  const isComplete = cards.every(({ address }) => eal.stdout.includes(`-a ${address}`));
  check(eal.code === 0 && isComplete, `${when} hft dpdk eal allows these devices`, eal.stdout || eal.stderr);
}

async function makeFunctions(guest: Guest, check: Check, { name, address }: Card): Promise<void> {
  await guest.ssh(`ip link set ${name} up`);
  await guest.ssh('sleep 3');
  const macs = '["02:00:00:00:00:01", "02:00:00:00:00:02"]';
  await writeProfile(guest, 'vfs', profileOf(`vfs: [{ of: ${name}, count: 2, vlan: 100, macs: ${macs} }]`));
  const tuned = await hft(guest, 'tune --profile /root/vfs.yaml --yes', 900);
  check(tuned.code === 0 || tuned.code === 5, 'hft tune makes virtual functions', endOf(tuned));
  const functions = await guest.read(
    `for v in /sys/bus/pci/devices/${address}/virtfn*; do basename $(readlink -f $v/driver); done`,
    { allowFail: true },
  );
  check(functions === 'vfio-pci\nvfio-pci', 'two of them, given to vfio-pci', functions);
  const shown = await guest.read(`ip link show dev ${name}`);
  const isSet = /02:00:00:00:00:01/.test(shown) && /02:00:00:00:00:02/.test(shown) && /vlan 100/.test(shown);
  check(isSet, 'with their addresses and VLAN', shown);
  await guest.reboot(900);
  const unit = await waitForTuneUnit(guest);
  const now = await guest.read(`cat /sys/bus/pci/devices/${address}/sriov_numvfs; ip link show dev ${name}`);
  check(now.startsWith('2') && /02:00:00:00:00:02/.test(now), `there again after a reboot (${unit})`, now);
  const undone = await hft(guest, 'rollback --all', 900);
  const left = await guest.read(
    `cat /sys/bus/pci/devices/${address}/sriov_numvfs /sys/bus/pci/devices/${address}/sriov_drivers_autoprobe`,
  );
  check(undone.code === 0 && left === '0\n1', 'and gone after a rollback', [endOf(undone), left]);
}

/** Nothing changes, and the reason is said in plan and tune. */
async function refuse(guest: Guest, check: Check, cards: readonly Card[]): Promise<void> {
  const management = await guest.read(`ip -o route show default | sed 's/.* dev \\([^ ]*\\).*/\\1/' | head -n 1`);
  await checkRefused(guest, check, management, /default route or a session/);
  const [first, last] = [cards[0] as Card, cards.at(-1) as Card];
  await guest.ssh(`modprobe bonding max_bonds=0; ip link add bond7 type bond`);
  await guest.ssh(
    `ip link set ${last.name} down && ip link set ${last.name} master bond7 && ip addr add 10.81.0.1/24 dev bond7`,
  );
  await checkRefused(guest, check, last.name, /member of the bond bond7/);
  await guest.ssh(`ip link del bond7; modprobe -r bonding`);
  await guest.ssh(`modprobe 8021q; ip link add link ${first.name} name ${first.name}.5 type vlan id 5`);
  await checkRefused(guest, check, first.name, new RegExp(`parent of the VLAN ${first.name}\\.5`));
  await guest.ssh(`ip link del ${first.name}.5; modprobe -r 8021q`);
  await writeProfile(guest, 'refused', profileOf(`devices: ["pci=0000:ff:1f.7"]`));
  const { json } = await hftJson<Plan>(guest, 'plan --profile /root/refused.yaml');
  const reason = json.refused.find(({ id }) => id === 'dpdk.device@pci=0000:ff:1f.7')?.reason ?? '';
  check(/no network device at 0000:ff:1f.7/.test(reason), 'an address that is not there is said so', reason);
}

async function checkRefused(guest: Guest, check: Check, name: string, why: RegExp): Promise<void> {
  const driver = await guest.read(`readlink /sys/class/net/${name}/device/driver`);
  await writeProfile(guest, 'refused', `dpdk: { iommu: leave, devices: [${name}] }\n`);
  const { json } = await hftJson<Plan>(guest, 'plan --profile /root/refused.yaml');
  const reason = json.refused.map((each) => each.reason).join('; ');
  check(why.test(reason), `${name} is refused in the plan`, reason);
  const tuned = await hft(guest, 'tune --profile /root/refused.yaml --yes', 300);
  // The plan is shown beside the outcome, broken into lines for a terminal.
  const shown = tuned.stderr.replace(/\s+/g, ' ');
  check(why.test(shown), 'and by the tune, with the reason', [shown, endOf(tuned)]);
  const now = await guest.read(`readlink /sys/class/net/${name}/device/driver`);
  check(now === driver, 'and keeps its driver', [driver, now]);
  await hft(guest, 'rollback --all', 300);
}
