import { parseCpulist } from '../../src/topology/cpulist.ts';
import type { Check } from './check.ts';
import type { Guest } from './guest.ts';
import { hftJson } from './hft.ts';

export const REFERENCE = '/usr/lib/hft/dist/hft-reference';

export const PROFILE = '/root/trading.yaml';

/** colo has one isolated CPU on four cores; interrupts on the housekeeping CPUs leave two. */
export const profile = `
extends: colo
layout: { irq: { cores: 0 } }
`;

export const deployment = `
profile: ${PROFILE}
processes:
  market-data:
    environment: { PASSWORD: hunter2 }
    command: [${REFERENCE}, --socket, /run/md.s, --lock, --thread, "md-rx:spin", --thread, "log:block"]
    cpus: { count: 1 }
    threads: { md-rx: { policy: fifo, priority: 48 } }
    memory: { lock: on }
    limits: { rtprio: 48, memlock: unlimited }
    ready: notify
    health: { watchdog: 30s }
    restart: { when: always, delay: 100ms, breaker: { restarts: 5, within: 300s } }
  strategy:
    command: [${REFERENCE}, --socket, /run/st.s, --thread, "strategy:spin"]
    cpus: { count: 1 }
    threads: { strategy: own }
    requires: [market-data]
`;

export const FILE = '/root/launch.yaml';

export interface Listed {
  readonly supervisor: string;
  readonly processes: readonly {
    readonly name: string;
    readonly phase: string;
    readonly why: string | null;
    readonly restarts: number;
    readonly pid: number | null;
    readonly threads: readonly {
      readonly name: string;
      readonly tid: number;
      readonly wanted: string;
      readonly allowed: string;
    }[];
  }[];
}

interface Verified {
  readonly results: readonly { readonly id: string; readonly status: string; readonly evidence: string }[];
}

export function write(guest: Guest, path: string, text: string) {
  return guest.ssh(`cat > ${path}`, { input: text });
}

export async function list(guest: Guest): Promise<Listed> {
  return (await hftJson<Listed>(guest, 'ps')).json;
}

export async function placed(guest: Guest, check: Check): Promise<void> {
  const { processes } = await list(guest);
  const isolated = parseCpulist(await guest.read('cat /sys/devices/system/cpu/isolated'));
  const threads = processes.flatMap((process) => process.threads);
  check(
    threads.every(({ wanted, allowed }) => wanted === allowed),
    'every thread is allowed where it was placed and nowhere else',
    threads,
  );
  const hot = threads.filter(({ name: thread }) => ['md-rx', 'strategy'].includes(thread));
  check(
    hot.length === 2 && hot.every(({ allowed }) => isolated.includes(Number(allowed))),
    'the hot threads have an isolated CPU each',
    hot,
  );
}

/** The answers that are no pass, after so many seconds. */
export async function differences(guest: Guest, durationS: number): Promise<Record<string, string>> {
  const { json } = await hftJson<Verified>(guest, `verify processes --duration ${durationS}s`);
  const different = json.results.filter(({ status }) => status === 'fail' || status === 'unknown');
  return Object.fromEntries(different.map(({ id, evidence }) => [id, evidence]));
}

export async function quiet(guest: Guest, check: Check, durationS: number): Promise<void> {
  const found = await differences(guest, durationS);
  check(Object.keys(found).length === 0, `hft verify processes finds nothing for ${durationS} s`, found);
}

/** Of a process by its name; throws when hft does not list it. */
export async function find(guest: Guest, process: string): Promise<Listed['processes'][number]> {
  const found = (await list(guest)).processes.find((each) => each.name === process);
  if (found === undefined) throw new Error(`hft ps does not list ${process}`);
  return found;
}

/** Looks until it holds or so many seconds are over; the last look is the evidence. */
export async function until(
  guest: Guest,
  process: string,
  holds: (found: Listed['processes'][number]) => boolean,
): Promise<Listed['processes'][number]> {
  for (let tries = 0; ; tries++) {
    const found = await find(guest, process);
    if (holds(found) || tries === 20) return found;
    await guest.ssh('sleep 3');
  }
}
