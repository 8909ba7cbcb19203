import { readHdrLog } from '../../src/latency/histogram/log-read.ts';
import type { Guest } from './guest.ts';
import { hft } from './hft.ts';

/** How often one CPU was interrupted while jitter was measured on it, by hft and by the kernel's own counters. */
export interface Interruptions {
  /** Of hft's report, per second: all that the kernel said it did in gaps, the timer alone, and interrupts of devices. */
  readonly hft: { readonly all: number; readonly timer: number; readonly irq: number };
  /** /proc/interrupts in the same seconds: local timer, and numbered interrupts. */
  readonly kernel: { readonly timer: number; readonly irq: number };
  readonly tier: string;
  /** Each better tier, and why it is not that one. */
  readonly missed: readonly { readonly tier: string; readonly reason: string }[];
  readonly explainedFraction: number | null;
  readonly report: string;
}

interface Report {
  readonly disturbances: readonly { readonly kind: string; readonly count: number; readonly explained: boolean }[];
  readonly explainedFraction: number | null;
  readonly attribution: Pick<Interruptions, 'tier' | 'missed'> | null;
  readonly probes: readonly { readonly name: string; readonly durationS: number }[];
}

const LOG = '/root/jitter.hlog';
const SAMPLES = '/root/interrupts.log';
/** A sample a second, from a CPU that is not measured. */
const SAMPLER = `while :; do echo "at $(date +%s.%N)"; cat /proc/interrupts; sleep 1; done > ${SAMPLES}`;

/** Measures jitter on one CPU, beside load on housekeeping CPUs, while the kernel's counters are read every second. */
export async function countInterruptions(guest: Guest, cpu: number, durationS: number): Promise<Interruptions> {
  await guest.ssh(`systemd-run --quiet --unit=sampler taskset -c 0 sh -c '${SAMPLER}'`);
  const options = `--profile colo --probe jitter --cpus ${cpu} --duration ${durationS}s --load housekeeping`;
  const { code, stdout, stderr } = await hft(guest, `verify latency ${options} --hdr ${LOG} --json`, 600);
  await guest.ssh('systemctl stop sampler');
  if (!stdout.startsWith('{')) throw new Error(`hft verify latency ended with ${code}: ${stderr.slice(-2000)}`);
  const report = JSON.parse(stdout) as Report;
  const [row] = report.probes;
  if (row === undefined || report.attribution === null) throw new Error(`No causes were sought: ${stdout}`);
  const perSecond = (kinds: readonly string[]) =>
    report.disturbances
      .filter(({ kind, explained }) => explained && (kinds.length === 0 || kinds.includes(kind)))
      .reduce((sum, { count }) => sum + count, 0) / row.durationS;
  return {
    hft: { all: perSecond([]), timer: perSecond(['timer']), irq: perSecond(['irq']) },
    kernel: countKernel(await guest.read(`cat ${SAMPLES}`), cpu, windowOf(await guest.read(`cat ${LOG}`))),
    tier: report.attribution.tier,
    missed: report.attribution.missed,
    explainedFraction: report.explainedFraction,
    report: stdout,
  };
}

/** When it was measured; seconds since 1970. */
function windowOf(log: string): { readonly fromS: number; readonly toS: number } {
  const intervals = readHdrLog(log, { file: LOG });
  const ends = intervals.map(({ startEpochS, durationNs }) => startEpochS + durationNs / 1e9);
  return { fromS: Math.min(...intervals.map(({ startEpochS }) => startEpochS)), toS: Math.max(...ends) };
}

interface Sample {
  readonly atS: number;
  readonly timer: number;
  readonly irq: number;
}

function countKernel(text: string, cpu: number, { fromS, toS }: { fromS: number; toS: number }) {
  const samples = text
    .split(/^at /m)
    .slice(1)
    .map((sample) => readSample(sample, cpu))
    .filter(({ atS }) => atS >= fromS && atS <= toS);
  const [first, last] = [samples[0], samples.at(-1)];
  if (first === undefined || last === undefined || last.atS - first.atS < (toS - fromS) / 2)
    throw new Error(`Too few samples of /proc/interrupts between ${fromS} and ${toS}: ${samples.length}`);
  const seconds = last.atS - first.atS;
  return { timer: (last.timer - first.timer) / seconds, irq: (last.irq - first.irq) / seconds };
}

/** The column of one CPU: offline CPUs have none. */
function readSample(text: string, cpu: number): Sample {
  const [time, header, ...lines] = text.split('\n');
  const column = (header ?? '').trim().split(/\s+/).indexOf(`CPU${cpu}`);
  if (column < 0) throw new Error(`/proc/interrupts has no column of CPU ${cpu}: ${header}`);
  const counts = lines.map((line) => {
    const [name, ...values] = line.trim().split(/\s+/);
    return { name: name ?? '', count: Number(values[column] ?? 0) };
  });
  const sum = (pattern: RegExp) =>
    counts.filter(({ name }) => pattern.test(name)).reduce((total, { count }) => total + count, 0);
  return { atS: Number(time), timer: sum(/^LOC:/), irq: sum(/^\d+:/) };
}
