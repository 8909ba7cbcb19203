import { agree, agreeTurns, foundOf, joinTurns, plantedWithin } from '../../unit/latency/planted.ts';
import type { Check } from '../check.ts';
import type { Guest } from '../guest.ts';
import { needHft } from '../hft.ts';
import { needPlanters, type PlantedRun, plantAndMeasure, rowOfStorm } from '../planting.ts';

export const name = 'disturbances planted on a CPU are found, named and counted within 5 %';
export const kernels = ['stock', 'rt'] as const;

/** On NUMA node 1, where igb is. */
const CPU = 5;
const QUIET = 7;
/** Where what disturbs it from outside runs. */
const FROM = 1;
const DURATION_S = 20;

export async function run(guest: Guest, check: Check): Promise<void> {
  await needHft(guest);
  await needPlanters(guest);
  await needUntuned(guest);
  const judges = [judgeThieves, judgeQuiet, judgeFaultingThread, judgeOwnFaults, judgeDisk, judgeNic, judgeThrottling];
  for (const each of judges) {
    try {
      await each(guest, check);
    } catch (error) {
      // The others say something all the same.
      check(false, `${each.name} ran to its end`, error instanceof Error ? error.message : error);
    }
  }
  const left = await guest.read('cd /sys/kernel/tracing; ls instances; cat kprobe_events; pgrep -a hft-probe', {
    allowFail: true,
  });
  check(left === '', 'no trace instance, no kprobe event and no probe is left', left);
}

/** Parts before this one may have left isolated CPUs for the time until a reboot. */
async function needUntuned(guest: Guest): Promise<void> {
  if ((await guest.read('cat /sys/devices/system/cpu/isolated')) !== '') await guest.reboot(600);
}

const measure = (guest: Guest, planter: string, more: { rows?: readonly string[]; flags?: string } = {}) =>
  plantAndMeasure(guest, {
    cpu: CPU,
    planter,
    rows: more.rows ?? ['LOC'],
    durationS: DURATION_S,
    flags: more.flags ?? '',
  });

/** One line for what was found beside what was planted, and how much of the run was recorded. */
function judge(
  check: Check,
  what: string,
  counts: { found: number; planted: number; least?: number },
  { found }: PlantedRun,
): void {
  const { found: seen, planted, least = 20 } = counts;
  const share = ((100 * seen) / planted).toFixed(1);
  const said = `${what}: ${seen} of ${planted.toFixed(1)} (${share} %)`;
  check(agree(seen, planted) && planted >= least, said, evidenceOf(found));
}

function evidenceOf({ attribution, disturbances, artefacts }: PlantedRun['found']) {
  return {
    tier: attribution?.tier,
    unexplained: attribution?.unexplained,
    disturbances: disturbances.slice(0, 12).map(({ kind, cause, count, totalNs }) => [kind, cause, count, totalNs]),
    artefacts: artefacts.map(({ text }) => text),
  };
}

async function judgeThieves(guest: Guest, check: Check): Promise<void> {
  for (const thief of ['timer-thief', 'fifo-thief --priority 1']) await judgeThief(guest, check, thief);
}

/** By turns, some of which the kernel cut: the planter counts both. */
function judgeTurns(check: Check, what: string, count: number, { found, window, events }: PlantedRun): void {
  const [turns, cut] = ['turn', 'preempted'].map((name) => plantedWithin(events, name, window).count) as [
    number,
    number,
  ];
  const said = `${what}: turns: ${count} of ${turns.toFixed(1)}, of which the kernel cut ${cut.toFixed(1)}`;
  check(agreeTurns(count, turns, cut) && turns >= 20, said, evidenceOf(found));
}

async function judgeThief(guest: Guest, check: Check, planter: string): Promise<void> {
  const thief = planter.split(' ')[0] as string;
  const planted = await measure(guest, planter);
  const { found, window, events } = planted;
  const { attribution } = found;
  const isTierB = attribution?.tier === 'B' && attribution.clock !== null;
  check(isTierB, `${thief}: causes by tier B, by the clock ${attribution?.clock}`, attribution?.missed);
  const own = foundOf(found, 'thread', thief);
  judgeTurns(check, thief, own.count, planted);
  check(own.fixes.includes('isolation.isolcpus'), `${thief}: the setting that removes it`, own.fixes);
  const ticks = foundOf(found, 'timer', 'timer tick').count;
  judge(
    check,
    `${thief}: ticks, as LOC counts`,
    { found: ticks, planted: plantedWithin(events, 'LOC', window).count },
    planted,
  );
}

/** What happens on one CPU is not reported of another. */
async function judgeQuiet(guest: Guest, check: Check): Promise<void> {
  const planting = { cpu: CPU, measured: QUIET, planter: 'timer-thief', rows: ['LOC'], durationS: 10 };
  const { found, window, events } = await plantAndMeasure(guest, planting);
  const count = foundOf(found, 'thread', 'timer-thief').count;
  const turns = plantedWithin(events, 'turn', window).count;
  // Without events no thread is ever reported.
  const isTold = found.attribution?.tier === 'B' && turns > 20;
  const said = `timer-thief on CPU ${CPU} (${turns.toFixed(1)} turns) is not reported of CPU ${QUIET}`;
  check(isTold && count === 0, said, { count, tier: found.attribution?.tier, missed: found.attribution?.missed });
}

/** Page faults of another thread are in that thread's time. */
async function judgeFaultingThread(guest: Guest, check: Check): Promise<void> {
  const planted = await measure(guest, 'page-faulter');
  const { found, window, events } = planted;
  const { count, pageFaults } = foundOf(found, 'thread', 'page-faulter');
  judgeTurns(check, 'page-faulter', count, planted);
  judge(
    check,
    'page-faulter: faults',
    { found: pageFaults, planted: plantedWithin(events, 'fault', window).count },
    planted,
  );
}

/** Page faults and TLB shootdowns of the measuring process itself. */
async function judgeOwnFaults(guest: Guest, check: Check): Promise<void> {
  const planted = await measure(guest, `soft-dirty --from ${FROM}`, { rows: ['TLB'] });
  const { found, window, events } = planted;
  const inCode = foundOf(found, 'page-fault', 'page fault').count;
  // Where reading the clock is a system call, the kernel writes to the planted pages too.
  const inCalls = foundOf(found, 'page-fault', 'page fault in a system call').count;
  const faults = { found: inCode + inCalls, planted: plantedWithin(events, 'fault', window).count };
  judge(check, 'soft-dirty: page faults', faults, planted);
  const shootdowns = foundOf(found, 'tlb-shootdown', 'TLB shootdown').count;
  const counted = plantedWithin(events, 'TLB', window).count;
  judge(check, 'soft-dirty: TLB shootdowns', { found: shootdowns, planted: counted }, planted);
}

/** The queue of a CPU interrupts that CPU, and the kernel alone decides so. */
async function judgeDisk(guest: Guest, check: Check): Promise<void> {
  await judgeStorm(guest, check, {
    planter: `disk-reads --path /dev/vda --from ${CPU}`,
    named: /^interrupt vda\/req\.\d+$/,
  });
}

/**
 * Packets that nobody answers: each is sent, and the card says so by an interrupt. Ten milliseconds apart, since a slow CPU that is
 * still busy with the last one keeps the card's interrupts off and polls (NAPI): then there is next to nothing to count.
 */
async function judgeNic(guest: Guest, check: Check): Promise<void> {
  if (!guest.record.nics.includes('igb')) {
    check(true, 'this QEMU has no igb: the storm of a network card is not planted');
    return;
  }
  const isIgb = '[ "$(basename "$(readlink "$n/device/driver")")" = igb ]';
  const nic = await guest.read(`for n in /sys/class/net/*; do if ${isIgb}; then basename "$n"; fi; done`);
  const irqs = (await guest.read(`ls /sys/class/net/${nic}/device/msi_irqs`)).split(/\s+/);
  const active = (await guest.read('systemctl is-active irqbalance', { allowFail: true })).trim() === 'active';
  const masks = await Promise.all(irqs.map((irq) => guest.read(`cat /proc/irq/${irq}/smp_affinity_list`)));
  await guest.ssh('systemctl stop irqbalance');
  await guest.ssh(`for i in ${irqs.join(' ')}; do echo ${CPU} > /proc/irq/$i/smp_affinity_list; done`);
  await guest.ssh(`ip neigh replace 10.10.2.77 lladdr 52:54:00:12:34:03 nud permanent dev ${nic}`);
  try {
    const planter = `datagrams --address 10.10.2.77 --from ${FROM} --period-us 10000`;
    await judgeStorm(guest, check, { planter, named: new RegExp(`^interrupt ${nic}/`), rows: irqs });
  } finally {
    await guest.ssh(`ip neigh del 10.10.2.77 dev ${nic}`, { allowFail: true });
    for (const [at, irq] of irqs.entries())
      await guest.ssh(`echo ${masks[at]} > /proc/irq/${irq}/smp_affinity_list`, { allowFail: true });
    if (active) await guest.ssh('systemctl start irqbalance');
  }
}

interface Storm {
  readonly planter: string;
  readonly named: RegExp;
  /** Of /proc/interrupts, where it is known which there are; else the busiest in a trial. */
  readonly rows?: readonly string[];
}

async function judgeStorm(guest: Guest, check: Check, storm: Storm): Promise<void> {
  const { planter, named } = storm;
  const mode = planter.split(' ')[0];
  const rows = storm.rows ?? [await rowOfStorm(guest, planter, CPU)].filter((row) => row !== undefined);
  check(rows.length > 0, `${mode}: its interrupts arrive on CPU ${CPU}`, await guest.read('cat /proc/interrupts'));
  if (rows.length === 0) return;
  const planted = await measure(guest, planter, { rows });
  const { found, window, events } = planted;
  const own = found.disturbances.filter(({ kind, cause }) => kind === 'irq' && named.test(cause));
  const largest = [...own].sort((left, right) => right.count - left.count)[0];
  const counts = rows.map((row) => ({ row, count: plantedWithin(events, row, window).count }));
  const counted = counts.sort((left, right) => right.count - left.count)[0] as { row: string; count: number };
  judge(
    check,
    `${mode}: ${largest?.cause ?? 'no such interrupt'}, as row ${counted.row} counts`,
    { found: largest?.count ?? 0, planted: counted.count },
    planted,
  );
  check(largest?.fix != null, `${mode}: the setting that removes it is named`, largest?.fix);
}

/** A measurement that never sleeps under SCHED_FIFO, beside a thread that wants to run: each second it gets what is left. */
async function judgeThrottling(guest: Guest, check: Check): Promise<void> {
  const planted = await measure(guest, 'fair-hog', { flags: '--scheduler fifo' });
  const { found, window, events } = planted;
  const throttled = foundOf(found, 'throttling', 'realtime throttling');
  // The measurement has the CPU for 950 ms of each second: shorter pauses of the hog are of others that were let run too.
  const turns = plantedWithin(joinTurns(events, 'turn', 5e8), 'turn', window);
  check(
    Math.abs(throttled.count - turns.count) <= 1.5 && turns.count > 10,
    `throttling: ${throttled.count} times, the hog ran ${turns.count.toFixed(1)} times`,
    found.disturbances.slice(0, 8),
  );
  // By the kernel's own count: the hog's turns leave out who else was let run before and after it.
  const waitedNs = plantedWithin(events, 'run-delay', window).count;
  const ms = { found: Math.round(throttled.totalNs / 1e6), planted: waitedNs / 1e6 };
  judge(check, 'throttling: ms, as run_delay of the measuring thread counts', ms, planted);
  check(throttled.letRun.includes('fair-hog'), 'throttling: whom it let run', throttled.letRun);
  check(
    found.artefacts.some(({ kind }) => kind === 'realtime-throttling'),
    'throttling: called an artefact of the measurement',
    found.artefacts,
  );
}
