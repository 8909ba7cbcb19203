import { parseCpulist } from '../../../src/topology/cpulist.ts';
import type { Check } from '../check.ts';
import { createGuest, type Guest, removeGuest } from '../guest.ts';
import { endOf, hft, installHft, waitForTuneUnit } from '../hft.ts';
import { buildImage } from '../image.ts';
import { differences, type Listed, list, quiet, REFERENCE, until } from '../launched.ts';
import { locateGuest, locateLab } from '../places.ts';

export const name =
  'the shipped deployments launch on a host of the documents’ size, every thread on its CPU, memory on its node';
export const kernels = ['stock', 'rt'] as const;

/** Eight cores for trading on the card's node, beside one for the kernel and one for interrupts. */
const CORES = { count: 10, threads: 1 } as const;
/** The card's; igb sits there. */
const NODE = 1;

/** What stands in for the documents' programs: the threads that the deployment names. They sleep, as twenty CPUs share few here. */
const STAND_INS: Readonly<Record<string, readonly string[]>> = {
  '/opt/trading/bin/market-gateway': ['gw-rx', 'gw-tx', 'gw-log'],
  '/opt/trading/bin/market-data': ['md-rx', 'md-decode'],
  '/opt/trading/bin/strategy': ['strat-signal', 'strat-order', 'strategy'],
  '/opt/trading/bin/risk': ['risk-check'],
  '/opt/trading/bin/order-manager': ['om-core'],
  '/opt/trading/bin/log-writer': ['writer'],
  '/opt/trading/bin/collector': ['col-rx', 'col-rx', 'col-book'],
  '/opt/trading/bin/order-gateways': ['gateway-0', 'gateway-1', 'gateway-2', 'gateway-3'],
  '/usr/bin/prometheus': ['scrape'],
};
const EXAMPLES = { 'single-host': 8, 'deep-dive': 4 } as const;

/** A guest of its own: the others have eight CPUs. */
export async function run(shared: Guest, check: Check): Promise<void> {
  const lab = locateLab();
  const places = locateGuest(lab, 'examples');
  const { kernel } = shared.record;
  const guest = await createGuest(places, await buildImage(lab), { kernel, nics: ['igb'], cores: CORES });
  try {
    await guest.waitBoot({ timeoutS: 1800 });
    await installHft(guest);
    await prepare(guest);
    for (const [example, processes] of Object.entries(EXAMPLES)) await launch(guest, check, example, processes);
  } finally {
    await removeGuest(places);
  }
}

async function prepare(guest: Guest): Promise<void> {
  for (const user of ['trading', 'prometheus']) await guest.ssh(`useradd --system ${user}`);
  await guest.ssh('mkdir -p /opt/trading/bin');
  for (const [path, threads] of Object.entries(STAND_INS)) {
    const options = threads.map((thread) => `--thread ${thread}:block`).join(' ');
    const text = `#!/bin/sh\nexec ${REFERENCE} --socket /tmp/${path.split('/').at(-1)}.s --lock ${options}\n`;
    await guest.ssh(`cat > ${path} && chmod 755 ${path}`, { input: text });
  }
  const install = 'apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends';
  await guest.ssh(`${install} redis-server && systemctl disable --now redis-server`, { timeoutS: 1800 });
}

async function launch(guest: Guest, check: Check, example: string, expected: number): Promise<void> {
  const file = `/usr/lib/hft/profiles/deployments/${example}.yaml`;
  if ((await guest.read('cat /sys/devices/system/cpu/isolated')) === '') await tune(guest, check);
  const place = await hft(guest, `place ${file}`);
  check(place.code === 0, `${example}: there is a place for all of it`, endOf(place));
  const launched = await hft(guest, `launch ${file} --wait`, 1800);
  check(launched.code === 0, `${example}: the deployment of the package starts as it is`, endOf(launched));
  const listed = await list(guest);
  const running = listed.processes.filter(({ phase }) => phase === 'running');
  check(running.length === expected, `${example}: ${running.length} of ${expected} processes run`, listed.processes);
  await judgePlaces(guest, check, example, listed);
  await quiet(guest, check, 60);
  await judgeRestart(guest, check, example, listed);
  const stopped = await hft(guest, 'stop', 600);
  check(stopped.code === 0, `${example}: stopped`, endOf(stopped));
  const left = await guest.read('pgrep -a "hft-reference|redis-server"', { allowFail: true });
  check(left === '', `${example}: nothing of it runs any more`, left);
}

async function tune(guest: Guest, check: Check): Promise<void> {
  const tuned = await hft(guest, 'tune --profile colo --yes', 1800);
  check(tuned.code === 5, 'hft tune --profile colo ends with 5: right but for a reboot', endOf(tuned));
  await hft(guest, 'confirm');
  await guest.reboot(1800);
  const unit = await waitForTuneUnit(guest, 1800);
  check(unit === 'active', 'the tuned host is up and verified', unit);
  const settings = await hft(guest, 'verify settings --profile colo', 900);
  check(settings.code === 0, 'it is as the shipped profile wants it', endOf(settings));
}

/** By what the kernel says of each thread and page, apart from hft. */
async function judgePlaces(guest: Guest, check: Check, example: string, { processes }: Listed): Promise<void> {
  const node = await guest.read(`cat /sys/devices/system/node/node${NODE}/cpulist`);
  const isolated = await guest.read('cat /sys/devices/system/cpu/isolated');
  const cpus = parseCpulist(isolated);
  const hot = processes.flatMap(({ threads }) => threads).filter(({ wanted }) => cpus.includes(Number(wanted)));
  const own = new Set(hot.map(({ wanted }) => wanted));
  check(own.size === hot.length && hot.length === 8, `${example}: eight hot threads have a CPU each`, hot);
  const misplaced = await guest.read(placementOf(processes));
  check(misplaced === '', `${example}: every thread is allowed on its CPUs and no others`, [misplaced, node, isolated]);
  const away = await guest.read(
    `for p in $(pgrep hft-reference); do awk -v p=$p '/anon=/ {for (i = 1; i <= NF; i++) if ($i ~ /^N0=/) {split($i, n, "="); away += n[2]}; for (i = 1; i <= NF; i++) if ($i ~ /^N1=/) {split($i, n, "="); here += n[2]}} END {print p, here + 0, away + 0}' /proc/$p/numa_maps; done`,
  );
  check(!/ 0 \d{3,}$/m.test(away), `${example}: anonymous memory lies on the node of its CPUs`, away);
  const locked = await guest.read('for p in $(pgrep -u trading hft-reference); do grep VmLck /proc/$p/status; done');
  check(!/\s0 kB/.test(locked), `${example}: memory is locked`, locked);
}

/** Prints what is not as `hft ps` says that it should be. */
function placementOf(processes: Listed['processes']): string {
  return processes
    .flatMap(({ pid, threads }) =>
      threads.map(
        ({ tid, name: thread, wanted }) =>
          `grep -qx "Cpus_allowed_list:.${wanted}" /proc/${pid}/task/${tid}/status || ` +
          `echo "${thread}, wanted ${wanted}: $(grep Cpus_allowed_list /proc/${pid}/task/${tid}/status)"`,
      ),
    )
    .join('; ');
}

async function judgeRestart(guest: Guest, check: Check, example: string, { processes }: Listed): Promise<void> {
  const killed = processes.find(({ name: process }) => process === 'strategy');
  if (killed?.pid == null) throw new Error(`${example}: its strategy does not run`);
  await guest.ssh(`kill -KILL ${killed.pid}`);
  const again = await until(guest, killed.name, ({ phase, pid }) => phase === 'running' && pid !== killed.pid);
  check(again.pid !== killed.pid, `${example}: ${killed.name}, killed, is started again in its place`, again);
  const found = await differences(guest, 5);
  check(Object.keys(found).length === 0, `${example}: and nothing differs`, found);
}
