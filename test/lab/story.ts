import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Check, Tally } from './check.ts';
import type { Guest } from './guest.ts';
import type { Kernel } from './kernels.ts';
import { LabError } from './lab-error.ts';

/** One part of the story, the exports of a file in parts/. */
export interface Part {
  /** What the part proves, as a title. */
  readonly name: string;
  /** Kernels it makes sense on; all unless given. */
  readonly kernels?: readonly Kernel[];
  run(guest: Guest, check: Check): Promise<void>;
}

export interface NamedPart extends Part {
  /** The file's name without .ts, e.g. `00-host-facts`. */
  readonly id: string;
}

/** All parts in the order of their numbers, or those whose id starts with or equals one of `wanted`. */
export async function loadParts(wanted: readonly string[]): Promise<NamedPart[]> {
  const folder = path.join(import.meta.dirname, 'parts');
  const ids = (await readdir(folder)).filter((file) => file.endsWith('.ts')).map((file) => file.slice(0, -3));
  const chosen = ids.sort().filter((id) => wanted.length === 0 || wanted.some((prefix) => id.startsWith(prefix)));
  const unknown = wanted.find((prefix) => !ids.some((id) => id.startsWith(prefix)));
  if (unknown !== undefined) throw new LabError(`There is no part ${unknown}.`, `Parts: ${ids.join(' ')}`);
  return Promise.all(
    chosen.map(async (id) => ({ id, ...((await import(pathToFileURL(path.join(folder, `${id}.ts`)).href)) as Part) })),
  );
}

/** Runs parts one after another; a part that throws counts as one failed check and the story goes on. */
export async function tellStory(parts: readonly NamedPart[], guest: Guest, tally: Tally): Promise<void> {
  for (const part of parts) {
    if (part.kernels !== undefined && !part.kernels.includes(guest.record.kernel)) continue;
    const startMs = performance.now();
    process.stdout.write(`\n== ${part.id} (${guest.record.kernel}): ${part.name}\n`);
    try {
      await part.run(guest, tally.check);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      tally.check(false, `${part.id} ran to its end`, error instanceof LabError ? error.message : error.stack);
    }
    process.stdout.write(`   ${((performance.now() - startMs) / 1000).toFixed(1)} s\n`);
  }
}
