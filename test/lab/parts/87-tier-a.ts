import { agree, agreeTurns, foundOf, plantedWithin } from '../../unit/latency/planted.ts';
import type { Check } from '../check.ts';
import type { Guest } from '../guest.ts';
import { needHft } from '../hft.ts';
import { needPlanters, plantAndMeasure, rowOfStorm } from '../planting.ts';

export const name = 'osnoise without its own loop: tier A, with a planted thief and interrupts of a device';
export const kernels = ['backports-rt'] as const;

const CPU = 5;
const DURATION_S = 20;

export async function run(guest: Guest, check: Check): Promise<void> {
  await needHft(guest);
  await needPlanters(guest);
  const workload = 'cat /sys/kernel/tracing/osnoise/options';
  const before = await guest.read(workload);
  check(/(^|\s)OSNOISE_WORKLOAD/.test(before), 'the kernel has osnoise, with its loop on', before);
  await judgeThief(guest, check);
  await judgeDisk(guest, check);
  const left = await guest.read('ls /sys/kernel/tracing/instances; pgrep -a hft-probe', { allowFail: true });
  check(left === '', 'no trace instance and no probe is left', left);
  check((await guest.read(workload)) === before, "osnoise's options are as before", await guest.read(workload));
}

async function judgeThief(guest: Guest, check: Check): Promise<void> {
  const planting = { cpu: CPU, planter: 'timer-thief', rows: ['LOC'], durationS: DURATION_S };
  const { found, window, events } = await plantAndMeasure(guest, planting);
  const evidence = { ...found.attribution, disturbances: found.disturbances.slice(0, 12), artefacts: found.artefacts };
  check(found.attribution?.tier === 'A', `causes by tier A, by the clock ${found.attribution?.clock}`, evidence);
  const turns = plantedWithin(events, 'turn', window).count;
  // osnoise counts a thread each time that it is switched out.
  const cut = plantedWithin(events, 'preempted', window).count;
  const { count, totalNs } = foundOf(found, 'thread', 'timer-thief');
  const said = `timer-thief: ${count} of ${turns.toFixed(1)} turns, of which the kernel cut ${cut.toFixed(1)}`;
  check(agreeTurns(count, turns, cut) && turns > 20, said, evidence);
  check(totalNs / turns > 100_000, `timer-thief: ${(totalNs / turns / 1000).toFixed(0)} us a turn, net`, evidence);
  const ticks = foundOf(found, 'timer', 'timer tick').count;
  const counted = plantedWithin(events, 'LOC', window).count;
  check(agree(ticks, counted), `ticks: ${ticks} of ${counted.toFixed(1)} that LOC counts`, evidence);
}

async function judgeDisk(guest: Guest, check: Check): Promise<void> {
  const planter = `disk-reads --path /dev/vda --from ${CPU}`;
  const row = await rowOfStorm(guest, planter, CPU);
  check(row !== undefined, `reads of the disk interrupt CPU ${CPU}`, row);
  if (row === undefined) return;
  const planting = { cpu: CPU, planter, rows: [row], durationS: DURATION_S };
  const { found, window, events } = await plantAndMeasure(guest, planting);
  const counted = plantedWithin(events, row, window).count;
  const own = found.disturbances.filter(({ kind, cause }) => kind === 'irq' && /^interrupt vda\/req/.test(cause));
  const count = Math.max(0, ...own.map((each) => each.count));
  check(
    found.attribution?.tier === 'A' && agree(count, counted),
    `${own[0]?.cause}: ${count} of ${counted.toFixed(1)}`,
    {
      tier: found.attribution?.tier,
      disturbances: found.disturbances.slice(0, 12),
    },
  );
}
