import { type FoundCauses, parsePlanted, plantedWithin, windowOf } from '../unit/latency/planted.ts';
import type { Guest } from './guest.ts';
import { hft } from './hft.ts';
import { needPlanters } from './planting.ts';

/** How often one CPU was interrupted while jitter was measured on it, by hft and by the kernel's own counters. */
export interface Interruptions {
  /** Of hft's report, per second: all that the kernel said it did in gaps, the timer alone, and interrupts of devices. */
  readonly hft: { readonly all: number; readonly timer: number; readonly irq: number };
  /** /proc/interrupts in the same seconds: local timer, and numbered interrupts. */
  readonly kernel: { readonly timer: number; readonly irq: number };
  readonly tier: string;
  /** Of the events; null: none were joined with gaps. */
  readonly clock: string | null;
  /** Each better tier, and why it is not that one. */
  readonly missed: readonly { readonly tier: string; readonly reason: string }[];
  readonly explainedFraction: number | null;
  readonly report: string;
}

type Report = FoundCauses & { readonly explainedFraction: number | null };

const SAMPLES = '/root/interrupts.log';

/** Measures jitter on one CPU, beside load on housekeeping CPUs, while the kernel's counters are read twenty times a second. */
export async function countInterruptions(guest: Guest, cpu: number, durationS: number): Promise<Interruptions> {
  await needPlanters(guest);
  const devices = (await guest.read("grep -oE '^ *[0-9]+:' /proc/interrupts | tr -d ' :'")).trim().split(/\s+/);
  const output = `--property=StandardOutput=truncate:${SAMPLES}`;
  await guest.ssh(
    `systemd-run --quiet --collect --unit=sampler ${output} /root/interrupt-rows ${cpu} 3600 LOC ${devices.join(' ')}`,
  );
  const options = `--profile colo --probe jitter --cpus ${cpu} --duration ${durationS}s --load housekeeping`;
  const { code, stdout, stderr } = await hft(guest, `verify latency ${options} --json`, 600);
  await guest.ssh('systemctl stop sampler', { allowFail: true });
  if (!stdout.startsWith('{')) throw new Error(`hft verify latency ended with ${code}: ${stderr.slice(-2000)}`);
  const report = JSON.parse(stdout) as Report;
  const window = windowOf(report);
  const perSecond = (kinds: readonly string[]) =>
    report.disturbances
      .filter(({ kind, explained }) => explained && (kinds.length === 0 || kinds.includes(kind)))
      .reduce((sum, { count }) => sum + count, 0) /
    ((window.endNs - window.startNs) / 1e9);
  const events = parsePlanted(await guest.read(`cat ${SAMPLES}`, { timeoutS: 300 }));
  const counted = (row: string) => plantedWithin(events, row, window).count / ((window.endNs - window.startNs) / 1e9);
  return {
    hft: { all: perSecond([]), timer: perSecond(['timer']), irq: perSecond(['irq']) },
    kernel: { timer: counted('LOC'), irq: devices.reduce((sum, row) => sum + counted(row), 0) },
    tier: report.attribution?.tier ?? 'none',
    clock: report.attribution?.clock ?? null,
    missed: report.attribution?.missed ?? [],
    explainedFraction: report.explainedFraction,
    report: stdout,
  };
}
