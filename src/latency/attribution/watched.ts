import type { Host } from '../../host/host.ts';
import type { LoadRequest } from '../probe/load.ts';
import { type Measured, type Measurement, mostMsOf } from '../probe/measure.ts';
import type { StolenTime } from '../probe/probe.ts';
import type { ProbeRun } from '../probe/run.ts';
import { measureUnderLoad } from '../probe/under-load.ts';
import { type Attribution, attribute } from './attribute.ts';
import { type AttributionRequest, prepareAttribution, type Watch, watchSurroundings } from './attribution.ts';
import { removeLeftovers } from './leftovers.ts';

/** What was measured, and what was found out beside it. */
export type Watched = Measured & { readonly attribution?: Attribution };

export interface Watching {
  /** Names of interrupts, and which CPUs share a core. */
  readonly machine: AttributionRequest['machine'];
  /** The gaps whose causes are sought; without it only what falsifies the figures is (artefacts). */
  readonly stolenOf: ((run: ProbeRun) => readonly StolenTime[]) | undefined;
  /** What else is to run meanwhile; undefined: nothing. */
  readonly load?: LoadRequest | undefined;
}

/**
 * Measures, and watches meanwhile what the kernel does on these CPUs. What is set up for that is gone when this returns or throws,
 * and when the process dies (instance.ts). Throws as measure does.
 */
export async function measureWatched(host: Host, measurement: Measurement, watching: Watching): Promise<Watched> {
  const { program, variant, clock } = measurement;
  const leftovers = await removeLeftovers(host);
  const request = { program, cpus: variant.cpus, clock, machine: watching.machine };
  const watch =
    watching.stolenOf === undefined
      ? await watchSurroundings(host, request)
      : await (await prepareAttribution(host, request)).start({ mostMs: mostMsOf(measurement) });
  const measured = await measureOrDiscard(host, { measurement, load: watching.load }, watch);
  if (measured.status !== 'measured') {
    await watch.discard();
    return measured;
  }
  const { run } = measured;
  const stolen = watching.stolenOf?.(run) ?? variant.cpus.map(withoutGaps);
  const { artefacts, ...attribution } = attribute(await watch.stop(), run.meta, stolen);
  return { ...measured, attribution: { ...attribution, artefacts: [...leftovers, ...artefacts] } };
}

interface Loaded {
  readonly measurement: Measurement;
  readonly load: LoadRequest | undefined;
}

async function measureOrDiscard(host: Host, { measurement, load }: Loaded, watch: Watch): Promise<Measured> {
  try {
    return await measureUnderLoad(host, measurement, load);
  } catch (error) {
    await watch.discard();
    throw error;
  }
}

function withoutGaps(cpu: number): StolenTime {
  return {
    cpu,
    exposureNs: 0,
    stolenShare: 0,
    gaps: { starts: new BigUint64Array(), ends: new BigUint64Array() },
  };
}
