import type { Check } from '../check.ts';
import { createGuest, type Guest, removeGuest } from '../guest.ts';
import { hft, installHft } from '../hft.ts';
import { buildImage } from '../image.ts';
import { locateGuest, locateLab } from '../places.ts';

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

/** The pipeline takes five physical cores beside the housekeeping ones. */
const CORES = { count: 4, threads: 1 } as const;
const PROBES = [
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
  'zeromq',
  'redis',
  'memcached',
];
const PACKAGES = 'libzmq5 redis-server redis-tools memcached';
/** What needs a peer that the guest does not have. */
const ELSEWHERE = ['network'];

/** A guest of its own: the others have four physical cores. */
export async function run(shared: Guest, check: Check): Promise<void> {
  const lab = locateLab();
  const places = locateGuest(lab, 'suite');
  const { kernel } = shared.record;
  const guest = await createGuest(places, await buildImage(lab), { kernel, nics: [], cores: CORES });
  try {
    await guest.waitBoot({ timeoutS: 1800 });
    await installHft(guest);
    const install =
      'apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends';
    await guest.ssh(`${install} ${PACKAGES} && systemctl disable --now redis-server memcached`, { timeoutS: 1800 });
    await measure(guest, check);
  } finally {
    await removeGuest(places);
  }
}

async function measure(guest: Guest, check: Check): Promise<void> {
  const ended = await hft(guest, 'verify latency --suite full --duration 3s --cpus 3-7 --json', 3600);
  check(ended.code === 0, 'it ends with 0: nothing is judged without a profile', ended.stderr.slice(-1000));
  const found = JSON.parse(ended.stdout) as Found;
  check(!found.cut, 'nothing was cut');
  for (const probe of PROBES) {
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
