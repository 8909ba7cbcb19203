import { HostError } from '../../errors.ts';
import type { Host } from '../../host/host.ts';
import type { Artefact } from './artefacts.ts';
import { TRACEFS } from './capability.ts';
import { removeStaleInstances } from './instance.ts';

/**
 * Takes away the tracing instances of runs that were killed together with their keeper, and says so. Before anything else is looked
 * at: osnoise in such an instance looks like somebody else's.
 */
export async function removeLeftovers(host: Host): Promise<readonly Artefact[]> {
  const found: Artefact[] = [];
  for (const tracefs of TRACEFS) {
    try {
      const removed = await removeStaleInstances(host, tracefs);
      found.push(...removed.map((name) => leftover(`${tracefs}/instances/${name}: taken away, its hft was killed.`)));
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      found.push(leftover(`${error.message}: the tracing instance of an hft that was killed is still there.`));
    }
  }
  return found;
}

function leftover(text: string): Artefact {
  return { kind: 'leftover', text };
}
