import { isSubset, parseCpulist } from '../../../src/topology/cpulist.ts';
import type { Check } from '../check.ts';
import type { Guest } from '../guest.ts';
import { endOf, hft, needHft, writeProfile } from '../hft.ts';
import { captureState, diffStates, printDifference } from '../state.ts';

export const name = 'isolation without a reboot: a cpuset partition keeps strangers off, and goes away again';

const profile = `
layout: { isolated: { cores: 1 } }
isolation: { method: partition }
`;
const cgroup = '/sys/fs/cgroup/hft.slice';

export async function run(guest: Guest, check: Check): Promise<void> {
  await needHft(guest);
  await writeProfile(guest, 'partition', profile);
  const before = await captureState(guest);
  const tuned = await hft(guest, 'tune --profile /root/partition.yaml --no-persist --yes');
  check(tuned.code === 0, 'hft tune ends with 0: no reboot is needed', endOf(tuned));
  const state = await guest.read(`cat ${cgroup}/cpuset.cpus.partition`);
  check(state === 'isolated', 'the kernel has an isolated partition', state);
  const type = await guest.read(`cat ${cgroup}/cgroup.type`);
  check(type === 'threaded', 'single threads of a process can be in it', type);
  const isolated = await guest.read(`cat ${cgroup}/cpuset.cpus.effective`);
  check(isolated !== '', 'with CPUs of its own', isolated);
  await checkStrangers(guest, check, isolated);
  const verified = await hft(guest, 'verify settings --profile /root/partition.yaml');
  check(verified.code === 0, 'hft verify settings passes', verified.stdout);
  const undone = await hft(guest, 'rollback --all');
  check(undone.code === 0, 'hft rollback --all ends with 0', undone.stdout);
  // Also the kernel threads of a NUMA node (kswapd, kcompactd), which the kernel lets loose for every partition.
  const differences = diffStates(before, await captureState(guest)).map(printDifference);
  check(differences.length === 0, 'the whole readable state is what it was before', differences);
}

async function checkStrangers(guest: Guest, check: Check, isolated: string): Promise<void> {
  const allowed = await guest.read("sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' /proc/1/status /proc/self/status");
  const lists = allowed.split('\n').map((list) => parseCpulist(list));
  const isKeptOff = lists.every((list) => parseCpulist(isolated).every((cpu) => !list.includes(cpu)));
  check(isKeptOff, `PID 1 and this login are kept off CPUs ${isolated}`, allowed);
  const forced = await guest.ssh(`taskset -c ${isolated} true`, { allowFail: true });
  check(forced.code !== 0, 'a stranger cannot put itself there', forced.stderr);
  const inside = await guest.read(
    `sh -c 'echo $$ > ${cgroup}/cgroup.procs; sed -n "s/^Cpus_allowed_list:[[:space:]]*//p" /proc/self/status'`,
  );
  check(isSubset(parseCpulist(inside), parseCpulist(isolated)), 'what is put into hft.slice runs there', inside);
}
