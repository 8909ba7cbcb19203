import type { DriftState } from '../../drift/drift.ts';
import { judgeLiveness, type ProcessIdentity } from '../../host/process-identity.ts';
import type { StateDirectory } from '../../host/state-directory.ts';

/** Below the run directory: it ends with the boot, as what it tells of does. */
const FILE = 'agent/drift.json';

/** What the agent knows of drift, for `hft status` and for the agent after this one. */
export interface DriftRecord extends DriftState {
  readonly agent: ProcessIdentity;
  /** The profile in force; null: none, so nothing can drift but processes. */
  readonly profile: string | null;
  /** Between two quick looks, and between two whole ones when nothing happens. */
  readonly everyS: { readonly quick: number; readonly whole: number };
  /** How many settings each look sees. */
  readonly settings: { readonly quick: number; readonly whole: number };
  /** Why nothing could be judged at the last look; null: it was. */
  readonly blind: string | null;
}

export async function writeDrift(run: StateDirectory, record: DriftRecord): Promise<void> {
  await run.replace(FILE, `${JSON.stringify(record)}\n`);
}

/** undefined: no agent of this boot wrote it, or somebody else did. */
export async function readDrift(run: StateDirectory): Promise<DriftRecord | undefined> {
  try {
    const record = JSON.parse((await run.readText(FILE)) ?? '{}') as Partial<DriftRecord>;
    const isWhole =
      typeof record.agent === 'object' && typeof record.drifted === 'object' && Array.isArray(record.ended);
    return isWhole ? (record as DriftRecord) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** What an agent that is alive knows; undefined: none watches. */
export async function readWatch(run: StateDirectory): Promise<DriftRecord | undefined> {
  const record = await readDrift(run);
  return record !== undefined && judgeLiveness(record.agent) !== 'dead' ? record : undefined;
}
