import { HftError } from '../errors.ts';
import { judgeLiveness, type ProcessIdentity, readBootId } from '../host/process-identity.ts';
import type { StateDirectory } from '../host/state-directory.ts';
import type { LaunchOrder } from '../launch/order.ts';
import type { ProcessRecord } from '../launch/supervision.ts';

/** What the supervisor last wrote. It is right for as long as the supervisor lives; else processes are looked for by it. */
export interface LaunchState {
  /** undefined: systemd says it. */
  readonly supervisor: ProcessIdentity | undefined;
  readonly deployment: string;
  /** The time of the order that it follows. */
  readonly order: string;
  readonly processes: readonly ProcessRecord[];
}

const ORDER = 'order.json';
const STATE = 'state.json';

/**
 * undefined: nothing was launched here since the boot. A run directory can live longer than that (a container, HFT_RUN_DIR), and what
 * was right to start then may be wrong now.
 */
export async function readOrder(run: StateDirectory): Promise<LaunchOrder | undefined> {
  const order = await parse<LaunchOrder>(run, ORDER);
  return order?.bootId === readBootId() ? order : undefined;
}

/** Also of an earlier boot: what systemd is to start once the gate lets it. */
export async function readKeptOrder(kept: StateDirectory): Promise<LaunchOrder | undefined> {
  return parse<LaunchOrder>(kept, ORDER);
}

export async function forgetOrder(directory: StateDirectory): Promise<void> {
  await directory.remove(ORDER);
}

export async function writeOrder(run: StateDirectory, order: LaunchOrder): Promise<void> {
  await run.replace(ORDER, `${JSON.stringify(order)}\n`);
}

/** undefined: nothing was launched here since the boot. */
export async function readState(run: StateDirectory): Promise<LaunchState | undefined> {
  const state = await parse<LaunchState>(run, STATE);
  return state?.supervisor?.bootId === readBootId() ? state : undefined;
}

export async function writeState(run: StateDirectory, state: LaunchState): Promise<void> {
  await run.replace(STATE, `${JSON.stringify(state)}\n`);
}

export function isSupervised(state: LaunchState | undefined): boolean {
  return state?.supervisor !== undefined && judgeLiveness(state.supervisor) !== 'dead';
}

/** Both are replaced atomically: a text that is no JSON was written by somebody else. */
async function parse<T>(run: StateDirectory, name: string): Promise<T | undefined> {
  const text = await run.readText(name);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as T;
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new HftError(`${run.path}/${name}: expected JSON as hft writes it, got something else.`, {
      exitCode: 3,
      cause,
      next: [
        'Nothing was changed. Processes that run go on. Move the file away, and end them by hand if they should end.',
      ],
    });
  }
}
