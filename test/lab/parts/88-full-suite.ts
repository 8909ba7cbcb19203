import type { Check } from '../check.ts';
import type { Guest } from '../guest.ts';
import { hft, needHft } from '../hft.ts';

export const name =
  'every probe of the full suite on eight CPUs and two nodes, and what is not there is named with its package';
export const kernels = ['stock', 'rt'] as const;

interface Row {
  readonly name: string;
  readonly samples: number;
}

interface Found {
  readonly probes: readonly Row[];
  readonly notMeasured: readonly { readonly probe: string; readonly reason: string; readonly need: string | null }[];
  readonly cut: boolean;
}

/** What needs nothing that a bare host does not have. The pipeline takes five CPUs beside the housekeeping ones. */
const EVERYWHERE = [
  'jitter',
  'wakeup',
  'core-to-core',
  'shm',
  'unix-socket',
  'pipe',
  'futex',
  'tcp',
  'udp',
  'pipeline',
];
/** What needs a package or a peer that the guest does not have. */
const ELSEWHERE = ['zeromq', 'redis', 'memcached', 'network'];

export async function run(guest: Guest, check: Check): Promise<void> {
  await needHft(guest);
  const ended = await hft(guest, 'verify latency --suite full --duration 3s --cpus 3-7 --json', 3600);
  check(ended.code === 0, 'it ends with 0: nothing is judged without a profile', ended.stderr.slice(-1000));
  const found = JSON.parse(ended.stdout) as Found;
  check(!found.cut, 'nothing was cut');
  for (const probe of EVERYWHERE) {
    const rows = found.probes.filter((row) => row.name === probe);
    const counts = rows.map(({ samples }) => samples);
    const why = found.notMeasured.filter((each) => each.probe === probe).map(({ reason }) => reason);
    check(rows.length > 0 && counts.every((count) => count > 0), `${probe}: ${rows.length} rows, none empty`, [
      counts,
      why,
    ]);
  }
  for (const probe of ELSEWHERE) {
    const why = found.notMeasured.filter((each) => each.probe === probe);
    const named = why.length > 0 && why.every(({ need, reason }) => (need ?? reason) !== '');
    check(named || found.probes.some((row) => row.name === probe), `${probe}: measured, or said what it needs`, why);
  }
  const left = await guest.read('pgrep -a hft-probe; ls /sys/kernel/tracing/instances', { allowFail: true });
  check(left === '', 'no probe and no trace instance is left', left);
}
