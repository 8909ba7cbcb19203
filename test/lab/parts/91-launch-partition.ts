import { intersection, isSubset, parseCpulist, printCpulist } from '../../../src/topology/cpulist.ts';
import type { Check } from '../check.ts';
import type { Guest } from '../guest.ts';
import { endOf, hft, hftJson, needHft, writeProfile } from '../hft.ts';
import { differences, find, type Listed, list, REFERENCE, until, write } from '../launched.ts';
import { captureState, diffStates, printDifference } from '../state.ts';

export const name =
  'a process is launched into a cpuset partition: hot threads inside, the others beside it; broken, repaired, taken back';

const PROFILE = '/root/inside.yaml';
const profile = `
layout: { isolated: { cores: 1 } }
isolation: { method: partition }
`;

const FILE = '/root/inside-launch.yaml';
/** The breaker is wide: a start that the broken partition refuses counts as one. */
const deployment = `
profile: ${PROFILE}
heal: on
processes:
  md:
    command: [${REFERENCE}, --socket, /run/md.s, --lock, --thread, "md-rx:spin", --thread, "log:block"]
    cpus: { count: 1 }
    threads: { md-rx: own, log: housekeeping }
    memory: { lock: on }
    limits: { memlock: unlimited }
    ready: notify
    health: { watchdog: 10s }
    restart: { when: always, delay: 3s, breaker: { restarts: 100, within: 3600s } }
  monitor:
    command: [${REFERENCE}, --socket, /run/mo.s, --thread, "poll:block"]
`;

const CGROUP = '/sys/fs/cgroup/hft.slice';

export async function run(guest: Guest, check: Check): Promise<void> {
  await needHft(guest);
  await writeProfile(guest, 'inside', profile);
  await write(guest, FILE, deployment);
  const before = await captureState(guest);
  await refusedUntuned(guest, check);
  await tune(guest, check, 'hft tune makes the partition');
  const type = await guest.read(`cat ${CGROUP}/cgroup.type ${CGROUP}/cpuset.cpus.partition`);
  check(type === 'threaded\nisolated', 'it is threaded and isolated', type);
  await launch(guest, check);
  await placed(guest, check, 'launched');
  await watched(guest, check);
  await restarted(guest, check);
  await broken(guest, check);
  await overlapped(guest, check);
  await stopped(guest, check);
  await takenBackWhileInUse(guest, check);
  await guest.ssh(`rm -f ${FILE} /run/md.s /run/mo.s`);
  await guest.ssh('systemctl reset-failed', { allowFail: true });
  const left = diffStates(before, await captureState(guest)).map(printDifference);
  check(left.length === 0, 'the whole readable state is what it was before', left);
}

async function refusedUntuned(guest: Guest, check: Check): Promise<void> {
  const closed = await hft(guest, `launch ${FILE}`);
  check(closed.code === 1, 'hft launch starts nothing where there is no partition yet', endOf(closed));
}

async function tune(guest: Guest, check: Check, what: string): Promise<void> {
  const tuned = await hft(guest, `tune --profile ${PROFILE} --no-persist --yes`, 600);
  check(tuned.code === 0, what, endOf(tuned));
}

async function launch(guest: Guest, check: Check): Promise<void> {
  const launched = await hft(guest, `launch ${FILE} --wait`, 600);
  check(launched.code === 0, 'hft launch starts all of it', endOf(launched));
  const units = await guest.read('systemctl is-active hft-trading-md hft-trading-monitor', { allowFail: true });
  check(units === 'active\nactive', 'both are services of systemd', units);
}

interface Thread {
  readonly name: string;
  readonly cgroup: string;
  readonly allowed: readonly number[];
  readonly cpu: number;
}

/** As the kernel has them: name, cgroup, where they may run, where they ran last. */
async function threadsOf(guest: Guest, pid: number | null): Promise<Thread[]> {
  const text = await guest.read(
    `for t in /proc/${pid}/task/*; do echo "$(cat $t/comm) $(sed -n s/^0:://p $t/cgroup) $(sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' $t/status) $(sed 's/.*) //' $t/stat | cut -d' ' -f37)"; done`,
    { allowFail: true },
  );
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [comm = '', cgroup = '', allowed = '', cpu = ''] = line.split(' ');
      return { name: comm, cgroup, allowed: parseCpulist(allowed), cpu: Number(cpu) };
    });
}

async function placed(guest: Guest, check: Check, when: string): Promise<void> {
  const isolated = parseCpulist(await guest.read(`cat ${CGROUP}/cpuset.cpus.effective`));
  const threads = await threadsOf(guest, (await find(guest, 'md')).pid);
  const hot = threads.find(({ name: thread }) => thread === 'md-rx');
  check(
    hot?.cgroup === '/hft.slice' && hot.allowed.length === 1 && isSubset(hot.allowed, isolated),
    `${when}: the hot thread is in the partition, on one isolated CPU`,
    [threads, isolated],
  );
  check(hot?.allowed.includes(hot.cpu) === true, `${when}: that is where it runs`, hot);
  const others = threads.filter((thread) => thread !== hot);
  check(
    others.length >= 2 &&
      others.every(({ cgroup, allowed }) => cgroup === '/' && intersection(allowed, isolated).length === 0),
    `${when}: its other threads are in the root cgroup, on housekeeping CPUs`,
    others,
  );
  const inside = (await guest.read(`cat ${CGROUP}/cgroup.threads`)).split('\n').filter((tid) => tid !== '');
  check(inside.length === 1, `${when}: nobody else is in the partition`, inside);
  const monitor = await threadsOf(guest, (await find(guest, 'monitor')).pid);
  check(
    monitor.every(({ cgroup }) => cgroup === '/system.slice/hft-trading-monitor.service'),
    `${when}: a process without isolated CPUs stays in the cgroup of its service`,
    monitor,
  );
}

/** What has to hold on any machine; how often a thread is disturbed is of no use in emulation. */
const PLACEMENT = /^processes\.(running|cpus|policy|thread|threads|partition|isolated|strangers|locked)@/;

async function watched(guest: Guest, check: Check): Promise<void> {
  const { json } = await hftJson<Listed & { readonly partition: { readonly state: string } | null }>(guest, 'ps');
  check(json.partition?.state === 'isolated', 'hft ps says that the partition is in effect', json.partition);
  // Longer than its watchdog: systemd hears a process that has left the cgroup of its service.
  const found = await differences(guest, 20);
  const wrong = Object.keys(found).filter((id) => PLACEMENT.test(id));
  check(wrong.length === 0, 'hft verify processes finds everything in its place for 20 s', found);
  const { restarts } = await find(guest, 'md');
  check(restarts === 0, 'its watchdog is heard', restarts);
}

async function restarted(guest: Guest, check: Check): Promise<void> {
  const killed = await find(guest, 'md');
  await guest.ssh(`kill -KILL ${killed.pid}`);
  const again = await until(guest, 'md', ({ phase, pid }) => phase === 'running' && pid !== killed.pid);
  check(again.phase === 'running' && again.pid !== killed.pid, 'killed, it is started again', again);
  await placed(guest, check, 'restarted');
}

/** Taken away by hand: it is seen, nothing new starts in it, and a tune makes it again under the processes. */
async function broken(guest: Guest, check: Check): Promise<void> {
  await guest.ssh(`echo member > ${CGROUP}/cpuset.cpus.partition`);
  const found = await differences(guest, 2);
  check('processes.partition@md' in found, 'a partition that somebody took away is found', found);
  const verified = await hft(guest, `verify settings --profile ${PROFILE}`);
  check(verified.code === 1, 'hft verify settings finds it too', endOf(verified));
  await guest.ssh(`kill -KILL ${(await find(guest, 'md')).pid}`);
  await guest.ssh('sleep 8');
  const waiting = await find(guest, 'md');
  check(waiting.phase !== 'running', 'while it is gone nothing is started that would need it', waiting);
  const said = await guest.read('journalctl -b -u hft-trading-md --no-pager | tail -20');
  check(said.includes('is not in effect'), 'the journal says why', said);
  await tune(guest, check, 'hft tune makes it again');
  const again = await until(guest, 'md', ({ phase }) => phase === 'running');
  check(again.phase === 'running', 'the process comes up again', again);
  await placed(guest, check, 'after the repair');
}

/** Made invalid by the kernel, since another cgroup takes its CPUs, while threads are inside. */
async function overlapped(guest: Guest, check: Check): Promise<void> {
  const cpus = await guest.read(`cat ${CGROUP}/cpuset.cpus`);
  await guest.ssh(`mkdir /sys/fs/cgroup/hft-overlap && echo ${cpus} > /sys/fs/cgroup/hft-overlap/cpuset.cpus`);
  const state = await guest.read(`cat ${CGROUP}/cpuset.cpus.partition`);
  check(state.startsWith('isolated invalid'), 'another cgroup with its CPUs makes the partition invalid', state);
  const found = await differences(guest, 2);
  check(found['processes.partition@md'] !== undefined, 'that is found', found);
  const pid = (await find(guest, 'md')).pid;
  await guest.ssh('rmdir /sys/fs/cgroup/hft-overlap');
  await tune(guest, check, 'hft tune makes it valid again under the process');
  await guest.ssh('sleep 5');
  check((await find(guest, 'md')).pid === pid, 'which was not restarted', pid);
  await placed(guest, check, 'healed');
}

async function stopped(guest: Guest, check: Check): Promise<void> {
  const stop = await hft(guest, 'stop', 300);
  check(stop.code === 0, 'hft stop ends with 0', endOf(stop));
  await nothingRuns(guest, check);
  const inside = await guest.read(`cat ${CGROUP}/cgroup.threads`);
  check(inside === '', 'the partition is empty', inside);
  const left = await cgroups(guest);
  check(left === CGROUP, 'no cgroup is left behind but the partition', left);
}

async function nothingRuns(guest: Guest, check: Check): Promise<void> {
  const left = await guest.read('pgrep -a hft-reference', { allowFail: true });
  check(left === '', 'nothing of it runs any more', left);
}

function cgroups(guest: Guest): Promise<string> {
  return guest.read('find /sys/fs/cgroup -type d -name "*hft*"', { allowFail: true });
}

/** Rolled back under processes that run: they go on where they are, and the cgroup goes. */
async function takenBackWhileInUse(guest: Guest, check: Check): Promise<void> {
  await launch(guest, check);
  const { pid } = await find(guest, 'md');
  const before = (await threadsOf(guest, pid)).map(({ name: thread, allowed }) => [thread, printCpulist(allowed)]);
  const undone = await hft(guest, 'rollback --all', 600);
  // Longer than its watchdog.
  await guest.ssh('sleep 20');
  check(undone.code === 0, 'hft rollback --all ends with 0 while it runs', endOf(undone));
  const threads = await threadsOf(guest, pid);
  const after = threads.map(({ name: thread, allowed }) => [thread, printCpulist(allowed)]);
  check(JSON.stringify(after) === JSON.stringify(before), 'every thread goes on on its CPUs', [before, threads]);
  check(
    threads.length > 0 && threads.every(({ cgroup }) => cgroup === '/'),
    'none is in the partition any more',
    threads,
  );
  const slice = await guest.read(`ls -d ${CGROUP}`, { allowFail: true });
  check(slice === '', 'the cgroup of the partition is gone', slice);
  await guest.ssh('pkill -KILL -x hft-reference; sleep 1', { allowFail: true });
  const stop = await hft(guest, 'stop', 300);
  check(stop.code === 0 || stop.code === 2, 'hft stop has nothing left to do', endOf(stop));
  await nothingRuns(guest, check);
  const left = await cgroups(guest);
  check(left === '', 'no cgroup of hft is left behind', left);
  const { processes } = await list(guest).catch(() => ({ processes: [] }));
  check(
    processes.every(({ phase }) => phase === 'down'),
    'hft ps lists nothing that runs',
    processes,
  );
}
