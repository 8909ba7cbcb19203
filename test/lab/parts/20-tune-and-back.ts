import type { Check } from '../check.ts';
import type { Guest } from '../guest.ts';
import { endOf, hft, hftJson, listMovableIrqsOn, needHft, waitForTuneUnit } from '../hft.ts';
import { captureState, type Difference, diffStates, printDifference } from '../state.ts';

export const name = 'colo from a bare host over a trial boot to a verified host, and back to where it was';

interface Verification {
  readonly summary: Readonly<Record<string, number>>;
  readonly results: readonly { readonly id: string; readonly status: string; readonly evidence: string }[];
}

interface Status {
  readonly profile?: string;
  readonly drift: readonly { readonly id: string }[];
  readonly pendingReboot: readonly string[];
}

export async function run(guest: Guest, check: Check): Promise<void> {
  await needHft(guest);
  const before = await captureState(guest);
  await tune(guest, check);
  await reboot(guest, check, 'the trial boot');
  const commandLine = await guest.read('cat /proc/cmdline');
  check(/hft\.trial=/.test(commandLine), 'GRUB took the trial entry', commandLine);
  await verifyEverything(guest, check);
  await checkTrading(guest, check);
  await reloadDriver(guest, check);
  await reboot(guest, check, 'the boot after it');
  const permanent = await guest.read('cat /proc/cmdline');
  check(/isolcpus=/.test(permanent) && !/hft\.trial/.test(permanent), 'the arguments are the default now', permanent);
  await verifyEverything(guest, check);
  await drift(guest, check);
  await rollBack(guest, check);
  const differences = withoutGrubsOwn(diffStates(before, await captureState(guest))).map(printDifference);
  check(differences.length === 0, 'the whole readable state is what it was before', differences);
}

async function tune(guest: Guest, check: Check): Promise<void> {
  const tuned = await hft(guest, 'tune --profile colo --yes', 600);
  check(tuned.code === 5, 'hft tune ends with 5: right but for a reboot', endOf(tuned));
  // The lab talks through one connection that is never fresh, so the host cannot see by itself that it is reachable.
  const kept = await hft(guest, 'confirm');
  check(kept.code === 0, 'the change to the NIC of this session is confirmed', kept.stdout || kept.stderr);
  const { code, json } = await hftJson<Status>(guest, 'status');
  check(code === 5 && json.profile === 'colo', 'hft status names the profile and exits 5', [code, json.profile]);
  check(json.drift.length === 0, 'nothing drifted', json.drift);
  check(json.pendingReboot.length > 0, 'hft status says what the reboot will bring', json.pendingReboot);
  const armed = await guest.read('grub-editenv list');
  check(armed.includes('next_entry=hft-trial'), 'GRUB will try the trial entry once', armed);
}

async function reboot(guest: Guest, check: Check, which: string): Promise<void> {
  const seconds = await guest.reboot(600);
  const unit = await waitForTuneUnit(guest);
  check(unit === 'active', `hft-tune.service put the profile back on ${which} (${seconds.toFixed(0)} s)`, unit);
}

async function verifyEverything(guest: Guest, check: Check): Promise<void> {
  const { code, json } = await hftJson<Verification>(guest, 'verify settings');
  const wrong = json.results.filter(({ status }) => status !== 'pass' && status !== 'unsupported');
  check(code === 0 && wrong.length === 0, 'hft verify settings: none fails, none is unknown, none waits', wrong);
  check((json.summary.pass ?? 0) > 50, `${json.summary.pass} settings pass`, json.summary);
  const unsupported = json.results.filter(({ status }) => status === 'unsupported').map(({ id }) => id);
  check(true, 'what this machine does not have is listed', unsupported);
  const isolated = await guest.read('cat /sys/devices/system/cpu/isolated');
  check(isolated !== '', 'the kernel has isolated CPUs', isolated);
  const everywhere = await listMovableIrqsOn(guest, await guest.read('cat /sys/devices/system/cpu/online'));
  check(
    everywhere.length > 10,
    'interrupts that can be moved are found on the CPUs that are online',
    everywhere.length,
  );
  const irqs = await listMovableIrqsOn(guest, isolated);
  check(irqs.length === 0, `no interrupt that can be moved arrives on CPUs ${isolated}`, irqs);
}

async function checkTrading(guest: Guest, check: Check): Promise<void> {
  const plan = await hft(guest, 'plan --profile colo');
  check(plan.code === 0, 'hft plan has nothing left to do', plan.code === 0 ? 0 : plan.stdout);
  const target = await guest.ssh('systemctl start hft-trading.target', { allowFail: true, timeoutS: 900 });
  check(target.code === 0, 'hft-trading.target starts', target.stderr || 'started');
  await guest.ssh('systemctl stop hft-trading.target');
}

/** A driver asks for its interrupts anew and gives back every queue: a udev event has to bring both back. */
async function reloadDriver(guest: Guest, check: Check): Promise<void> {
  const driver = guest.record.nics.includes('igb') ? 'igb' : 'e1000e';
  const isolated = await guest.read('cat /sys/devices/system/cpu/isolated');
  const nic = await guest.read(`basename /sys/bus/pci/drivers/${driver}/*/net/*`);
  const queues = await guest.read(`ethtool -l ${nic} 2>/dev/null`, { allowFail: true });
  const affinities = readAffinities(nic);
  const old = await guest.read(affinities);
  await guest.ssh(`modprobe -r ${driver} && modprobe ${driver}`);
  const startMs = performance.now();
  let now = '';
  while (now !== old && performance.now() - startMs < 300_000) {
    await guest.ssh('sleep 2');
    now = await guest.read(affinities, { allowFail: true });
  }
  const seconds = ((performance.now() - startMs) / 1000).toFixed(0);
  check(now === old, `after a reload of ${driver} the interrupts of ${nic} are placed again (${seconds} s)`, [
    old,
    now,
  ]);
  const irqs = await listMovableIrqsOn(guest, isolated);
  check(irqs.length === 0, 'and none arrives on an isolated CPU', irqs);
  const queuesNow = await guest.read(`ethtool -l ${nic} 2>/dev/null`, { allowFail: true });
  check(queuesNow === queues, 'and it has the queues of the profile', queuesNow.split('\n').at(-1));
}

/** Where each interrupt of a NIC may arrive, by its action: the numbers are new after a reload. */
function readAffinities(nic: string): string {
  return (
    `for i in /sys/kernel/irq/*; do read -r a < $i/actions; case $a in ${nic}|${nic}-*) ` +
    `echo "$a $(cat /proc/irq/\${i##*/}/smp_affinity_list)";; esac; done | sort`
  );
}

async function drift(guest: Guest, check: Check): Promise<void> {
  await guest.ssh('sysctl -qw vm.swappiness=7');
  const { code, json } = await hftJson<Status>(guest, 'status');
  const ids = json.drift.map(({ id }) => id);
  const isNamed = ids.length === 1 && ids[0] === 'memory.sysctl@vm.swappiness';
  check(code === 1 && isNamed, "an administrator's change is drift, by its name, and status exits 1", [code, ids]);
}

async function rollBack(guest: Guest, check: Check): Promise<void> {
  const undone = await hft(guest, 'rollback --all', 600);
  check(undone.code === 0, 'hft rollback --all ends with 0', endOf(undone));
  check(/kept +memory\.sysctl@vm\.swappiness/.test(undone.stdout), 'it names what it kept', undone.stdout);
  const swappiness = await guest.read('sysctl -n vm.swappiness');
  check(swappiness === '7', "and the administrator's value is still there", swappiness);
  await guest.reboot(600);
  const commandLine = await guest.read('cat /proc/cmdline');
  check(!/isolcpus|hft/.test(commandLine), 'the kernel boots with its old arguments', commandLine);
}

/** GRUB empties `next_entry` when it has followed it, and leaves the empty variable in its environment block. */
function withoutGrubsOwn(differences: readonly Difference[]): readonly Difference[] {
  const environment = differences.find(({ key }) => key === 'grub/environment');
  const before = environment?.before?.split('\n') ?? [];
  const added = environment?.after?.split('\n').filter((line) => !before.includes(line)) ?? [];
  if (added.length !== 1 || added[0] !== 'next_entry=') return differences;
  return differences.filter(({ key }) => key !== 'grub/environment' && key !== 'file/boot/grub/grubenv');
}
