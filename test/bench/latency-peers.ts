import { besideCyclictest } from './peers/cyclictest.ts';
import { besideOslat } from './peers/oslat.ts';
import type { Place } from './peers/place.ts';
import { besideSockperf } from './peers/sockperf.ts';
import { allowedCpus, isInstalled } from './probe/run.ts';
import type { BenchPlaces } from './report.ts';

interface Peer {
  readonly program: string;
  readonly package: string;
  /** SCHED_FIFO, which its comparison needs. */
  readonly needsRoot: boolean;
  readonly compare: (place: Place) => Promise<boolean>;
}

const PEERS: readonly Peer[] = [
  { program: 'oslat', package: 'rt-tests', needsRoot: true, compare: besideOslat },
  { program: 'cyclictest', package: 'rt-tests', needsRoot: true, compare: besideCyclictest },
  { program: 'sockperf', package: 'sockperf', needsRoot: false, compare: besideSockperf },
];

/** What hft-probe measures, beside what the tools of the trade say of the same CPUs. What could not be compared is not as wanted. */
export async function benchLatencyPeers({ scratch }: BenchPlaces): Promise<boolean> {
  const [control, cpu] = allowedCpus();
  if (control === undefined || cpu === undefined)
    throw new Error('two CPUs are needed: one to measure on and one to control from');
  const missing: string[] = [];
  const met: boolean[] = [];
  for (const peer of PEERS) {
    const why = whyNot(peer);
    if (why === undefined) met.push(await peer.compare({ scratch, cpu, control }));
    else missing.push(`${peer.program}: ${why}`);
  }
  for (const line of missing) console.log(`\nNot compared: ${line}`);
  return missing.length === 0 && met.every(Boolean);
}

function whyNot({ program, package: from, needsRoot }: Peer): string | undefined {
  if (!isInstalled(program)) return `it is not installed (Debian: ${from})`;
  return needsRoot && process.getuid?.() !== 0 ? 'its comparison uses SCHED_FIFO, which needs root' : undefined;
}
