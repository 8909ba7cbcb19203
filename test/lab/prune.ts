import { readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import type { GuestRecord } from './guest.ts';
import type { LabPlaces } from './places.ts';

/** Removes images of earlier inputs that no guest's disk stands on: an image takes 3 GB. */
export async function pruneImages(lab: LabPlaces, keep: string): Promise<void> {
  const guests = path.join(lab.root, 'guests');
  const used = new Set([keep]);
  for (const name of await readdir(guests)) {
    const text = await readFile(path.join(guests, name, 'guest.json'), 'utf8').catch(() => undefined);
    if (text !== undefined) used.add((JSON.parse(text) as GuestRecord).image);
  }
  for (const name of await readdir(lab.images)) {
    const folder = path.join(lab.images, name);
    if (!used.has(folder)) await rm(folder, { recursive: true });
  }
}
