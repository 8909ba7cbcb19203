import type { Child } from '../../../../src/host/host.ts';
import { LocalHost } from '../../../../src/host/local.ts';
import { measure } from '../../../../src/latency/probe/measure.ts';

/** Measures jitter on a CPU for a minute, in blocks of ten seconds, as `hft verify latency` does. Says the pid of hft-probe. */
class TellingHost extends LocalHost {
  override async startChild(argv: readonly string[]): Promise<Child | undefined> {
    const child = await super.startChild(argv);
    process.stdout.write(`${child?.pid}\n`);
    return child;
  }
}

const [program, cpu, other, warmupMs] = process.argv.slice(2) as [string, string, string, string];
await measure(new TellingHost(), {
  program,
  probe: 'jitter',
  variant: { name: '', cpus: [Number(cpu)], spins: true, policy: 'other', options: {} },
  housekeeping: [Number(cpu), Number(other)],
  durationMs: 60_000,
  warmupMs: Number(warmupMs),
  blockMs: 10_000,
});
