import { randomBytes } from 'node:crypto';
import type { StateDirectory } from '../host/state-directory.ts';
import { printEnvironment } from '../launch/environment-text.ts';
import type { LaunchOrder } from '../launch/order.ts';

const FOLDER = 'environment';
/** What processes are told can be secret: for root alone, or whoever launched them. */
const SECRET_MODE = 0o600;

/**
 * Keeps the variables of a process in a file of their own, and returns its path; undefined: it has none. Other variables are
 * another file, so that a process that runs is not started again with what nobody launched it with.
 */
export async function keepEnvironment(
  directory: StateDirectory,
  process: string,
  environment: Readonly<Record<string, string>>,
): Promise<string | undefined> {
  const text = printEnvironment(environment);
  if (text === '') return undefined;
  for (const name of await directory.list(FOLDER)) {
    if (!isOf(process, name) || (await directory.readText(`${FOLDER}/${name}`)) !== text) continue;
    return `${directory.path}/${FOLDER}/${name}`;
  }
  const name = `${FOLDER}/${process}.${randomBytes(4).toString('hex')}.env`;
  await directory.replace(name, text, SECRET_MODE);
  return `${directory.path}/${name}`;
}

function isOf(process: string, name: string): boolean {
  return name.startsWith(`${process}.`) && name.endsWith('.env');
}

/** Takes away the files that nobody is started with any more. `inUse`: paths. */
export async function forgetEnvironments(directory: StateDirectory, inUse: readonly string[]): Promise<void> {
  for (const name of await directory.list(FOLDER)) {
    if (!inUse.includes(`${directory.path}/${FOLDER}/${name}`)) await directory.remove(`${FOLDER}/${name}`);
  }
}

/** Paths of the files of what is to run. */
export function variablesInUse(order: LaunchOrder | undefined): readonly string[] {
  return order?.processes.flatMap(({ goal, environmentFile }) => (goal === 'up' ? (environmentFile ?? []) : [])) ?? [];
}
