import type { Host } from '../host/host.ts';
import { measureWatched, type Watched } from '../latency/attribution/watched.ts';
import { probes } from '../latency/index.ts';
import type { Machine } from '../topology/machine.ts';
import type { ProbeRequest } from './agent.ts';

interface Running extends ProbeRequest {
  /** Where hft-probe is. */
  readonly program: string;
  readonly machine: Machine;
}

/** One variant of a probe on this host, under the load that was asked for, with what the kernel did meanwhile. */
export function runProbe(host: Host, { machine, seeksCauses, load, ...measurement }: Running): Promise<Watched> {
  const probe = probes.find(({ name }) => name === measurement.probe);
  const stolenOf = seeksCauses ? probe?.stolen?.bind(probe) : undefined;
  return measureWatched(host, measurement, { machine, stolenOf, load });
}
