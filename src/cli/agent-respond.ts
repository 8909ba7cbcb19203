import type { Of } from '../agent/daemon/verify-services.ts';
import type { Work } from '../agent/daemon/work.ts';
import { UsageError } from '../errors.ts';
import { housekeepingCpus } from '../latency/probe/choose-cpus.ts';
import type { ResponderEvent } from '../latency/probe/respond.ts';
import { controlCpuFor, refuseToSpin } from '../latency/probe/spin-rule.ts';
import { printCpulist } from '../topology/cpulist.ts';
import type { Machine } from '../topology/machine.ts';
import type { VerifyingSite } from './agent-verify.ts';
import { WARMUP_MS } from './latency-duration.ts';

/** Starting, greeting and ending, on a busy machine. */
const SLACK_MS = 30_000;
const IDLE_MS = 30_000;

/**
 * Answers the network probe of the controller that asks, and of nobody else: where the controller reached this host, for its
 * address alone, until it takes the request back, its connection ends, or the time of one measurement is over.
 */
export async function respondForController(
  { agent, responderPort }: VerifyingSite,
  { durationS, cpu }: Of<'respond'>,
  work: Work,
) {
  const { asker, signal } = work;
  const counts = { clients: 0, strangers: 0, refused: 0 };
  if (asker === undefined) return counts;
  const place = choosePlace(await agent.machine(), cpu);
  const onEvent = (event: ResponderEvent) => {
    if (event.event === 'client') counts.clients++;
    else Object.assign(counts, { strangers: event.strangers, refused: event.refused });
    if (event.event === 'listening') work.listens(responderPort);
  };
  const mostMs = durationS * 1000 + WARMUP_MS + SLACK_MS;
  const { localAddress, address } = asker;
  const listen = localAddress.includes(':') ? `[${localAddress}]:${responderPort}` : `${localAddress}:${responderPort}`;
  await agent.respond({ listen, ...place, only: address, mostMs, idleMs: IDLE_MS, signal, onEvent });
  return counts;
}

/** A housekeeping CPU, which it shares and where it sleeps; or the one that was given, where it may spin. Throws UsageError. */
function choosePlace(machine: Machine, given: number | undefined) {
  const housekeeping = housekeepingCpus(machine);
  const cpu = given ?? housekeeping.at(-1) ?? 0;
  const online = machine.topology.cpus.filter((each) => each.online).map((each) => each.cpu);
  if (!online.includes(cpu))
    throw new UsageError(`--peer-cpu: there is no CPU ${cpu} online (${printCpulist(online)} are).`);
  const variant = { name: 'serve', cpus: [cpu], spins: true, policy: 'other' as const, options: {} };
  const maySpin = given !== undefined && refuseToSpin(variant, housekeeping) === undefined;
  const wait = maySpin ? ('spin' as const) : ('block' as const);
  return { cpus: [cpu], wait, controlCpu: controlCpuFor(variant, housekeeping) };
}
