import { parseCpulist } from '../../../src/topology/cpulist.ts';
import type { Check } from '../check.ts';
import type { Guest } from '../guest.ts';
import { endOf, hft, hftJson, needHft, waitForTuneUnit } from '../hft.ts';
import { countInterruptions, type Interruptions } from '../interruptions.ts';

export const name =
  'an isolated CPU is interrupted less often after hft tune, by what hft reports and by what the kernel counts';

const DURATION_S = 20;

export async function run(guest: Guest, check: Check): Promise<void> {
  await needHft(guest);
  const { json } = await hftJson<{ readonly layout: { readonly isolated: string } }>(guest, 'profile explain colo');
  const cpu = parseCpulist(json.layout.isolated)[0] as number;
  const before = await countInterruptions(guest, cpu, DURATION_S);
  describe(check, 'before', before);
  agree(check, before);
  await tune(guest, check);
  const after = await countInterruptions(guest, cpu, DURATION_S);
  describe(check, 'after', after);
  const times = (one: number, other: number) => (one / Math.max(other, 1 / DURATION_S)).toFixed(1);
  check(after.hft.all < before.hft.all / 3, `hft reports ${times(before.hft.all, after.hft.all)} times fewer`, [
    before.hft,
    after.hft,
  ]);
  check(after.kernel.timer < before.kernel.timer / 3, 'and so does /proc/interrupts: the tick is gone', [
    before.kernel,
    after.kernel,
  ]);
  check(after.kernel.irq === 0 && after.hft.irq === 0, 'no interrupt of a device arrives there', [
    after.kernel.irq,
    after.hft.irq,
  ]);
  await nothingLeft(guest, check);
  const undone = await hft(guest, 'rollback --all', 600);
  check(undone.code === 0, 'hft rollback --all ends with 0', endOf(undone));
}

/** Counters alone (tier C) would report no interruption, which is no proof that there is none. */
function describe(check: Check, when: string, { hft: own, kernel, explainedFraction, ...by }: Interruptions) {
  const missed = by.missed.map(({ tier: better, reason }) => `; not ${better}: ${reason}`).join('');
  check(
    (by.tier === 'A' || by.tier === 'B') && by.clock !== null,
    `${when}: causes by tier ${by.tier}, by the clock ${by.clock}${missed}`,
    { hft: own, kernel, explainedFraction },
  );
}

/** Every tick makes a gap in a loop that does nothing else, so both count the same. */
function agree(check: Check, { hft: own, kernel }: Interruptions): void {
  const ratio = own.timer / kernel.timer;
  check(kernel.timer > 20, 'before: a busy CPU has its tick', kernel.timer);
  check(ratio > 0.95 && ratio < 1.05, `before: hft and the kernel count the same ticks (${ratio.toFixed(2)})`, [
    own,
    kernel,
  ]);
}

async function tune(guest: Guest, check: Check): Promise<void> {
  const tuned = await hft(guest, 'tune --profile colo --yes', 600);
  check(tuned.code === 5, 'hft tune ends with 5: right but for a reboot', endOf(tuned));
  await hft(guest, 'confirm');
  const seconds = await guest.reboot(600);
  const unit = await waitForTuneUnit(guest);
  check(unit === 'active', `the tuned host is up and verified (${seconds.toFixed(0)} s)`, unit);
}

async function nothingLeft(guest: Guest, check: Check): Promise<void> {
  const left = await guest.read(
    'ls /sys/kernel/tracing/instances; pgrep -a hft-probe; cat /sys/kernel/tracing/tracing_cpumask',
    {
      allowFail: true,
    },
  );
  check(!/hft/.test(left), 'no trace instance and no probe is left', left);
}
