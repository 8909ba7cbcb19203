import { UsageError } from '../errors.ts';
import { housekeepingCpus } from '../latency/probe/choose-cpus.ts';
import type { ResponderClient, ResponderEvent } from '../latency/probe/respond.ts';
import { controlCpuFor, refuseToSpin } from '../latency/probe/spin-rule.ts';
import { printCpulist } from '../topology/cpulist.ts';
import type { Machine } from '../topology/machine.ts';
import { viewClient, viewListening } from '../views/latency-served.ts';
import { watchCancellation } from './interruption.ts';
import { findFreeCpus } from './latency-cpus.ts';
import { requireOnlyServing } from './latency-flags.ts';
import { RESPONDER_PORT, resolvePlace } from './latency-servers.ts';
import { requireFreeInterface } from './latency-xdp.ts';
import { type Installation, openAgent } from './target.ts';

export interface ServeFlags {
  readonly listen?: string | undefined;
  readonly cpus?: string | undefined;
  readonly wait?: string | undefined;
  readonly xdp?: string | undefined;
}

/** The JSON of `hft verify latency --serve`, when it has ended. Additive changes only. */
export interface Served {
  readonly address: string;
  readonly cpus: readonly number[];
  readonly wait: 'spin' | 'block';
  readonly clients: readonly Omit<ResponderClient, 'event'>[];
  /** Datagrams of nobody who was measured with, and connections that were not of hft. */
  readonly strangers: number;
  readonly refused: number;
}

/** Who says nothing for so long makes room for others. */
const IDLE_MS = 30_000;

/**
 * Answers the `network` probe of other hosts until Ctrl-C. Where nobody says otherwise it listens on the loopback interface: a trading
 * host opens no port to others unasked. `say` shows a line at once.
 */
export async function serveLatency(
  installation: Installation,
  flags: ServeFlags,
  say: (line: string) => void,
): Promise<Served> {
  requireOnlyServing({ ...flags });
  const listen = await resolvePlace('listen', flags.listen ?? `127.0.0.1:${RESPONDER_PORT}`);
  const agent = await openAgent(installation);
  const machine = await agent.machine();
  requireFreeInterface(machine, flags.xdp);
  const chosen = await findFreeCpus(agent, { machine, layout: undefined, expression: flags.cpus });
  const place = choosePlace(machine, chosen.cpus, flags);
  const clients: Omit<ResponderClient, 'event'>[] = [];
  const counts = { strangers: 0, refused: 0 };
  const onEvent = (event: ResponderEvent) => {
    if (event.event === 'client') {
      const { event: _, ...client } = event;
      clients.push(client);
      say(viewClient(client));
      return;
    }
    if (event.event === 'listening') say(viewListening({ listen, ...place }));
    Object.assign(counts, { strangers: event.strangers, refused: event.refused });
  };
  await agent.respond({ listen, ...place, xdp: flags.xdp, idleMs: IDLE_MS, signal: watchCancellation(), onEvent });
  return { address: listen, cpus: place.cpus, wait: place.wait, clients, ...counts };
}

/** One CPU where nobody says otherwise: who is measured beside another one measures that one too. */
function choosePlace(machine: Machine, chosen: readonly number[], { cpus: expression, wait: asked }: ServeFlags) {
  const cpus = expression === undefined ? chosen.slice(0, 1) : chosen;
  const housekeeping = housekeepingCpus(machine);
  const variant = { name: 'serve', cpus, spins: true, policy: 'other' as const, options: {} };
  const refused = refuseToSpin(variant, housekeeping);
  if (refused !== undefined && asked === 'spin') {
    throw new UsageError(`--wait spin on CPUs ${printCpulist(cpus)}: ${refused}`);
  }
  const wait = asked === 'block' || refused !== undefined ? ('block' as const) : ('spin' as const);
  return { cpus, wait, controlCpu: controlCpuFor(variant, housekeeping), why: refused };
}
