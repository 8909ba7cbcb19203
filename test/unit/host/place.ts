import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';

/** A folder of its own for one test, world-readable, removed at its end. */
export function makePlace(): string {
  const place = fs.mkdtempSync(path.join(fs.realpathSync(tmpdir()), 'hft-host-'));
  fs.chmodSync(place, 0o755);
  onTestFinished(() => fs.rmSync(place, { recursive: true, force: true }));
  return place;
}

const NOBODY = 65_534;

/** Runs synchronous-inside host calls with the rights of an ordinary user, also when the tests run as root. */
export async function asOrdinaryUser<T>(act: () => Promise<T>): Promise<T> {
  if (process.geteuid?.() !== 0) return act();
  process.seteuid?.(NOBODY);
  try {
    return await act();
  } finally {
    process.seteuid?.(0);
  }
}
