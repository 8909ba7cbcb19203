import { HostError } from '../errors.ts';
import type { HostReader } from '../host/host.ts';
import { parseProcessStat } from '../host/process-identity.ts';

/** The variable by which a process is found that was started when its pid could not be written down any more. */
export const TOKEN = 'HFT_LAUNCH';

/** The start time of a process that runs; undefined when it has ended. */
export async function readStart(reader: HostReader, pid: number): Promise<string | undefined> {
  const stat = parseProcessStat((await readOrNothing(reader, `/proc/${pid}/stat`)) ?? '');
  return stat === undefined || stat.state === 'Z' || stat.state === 'X' ? undefined : stat.startTicks;
}

/**
 * The process that was started with a token: the leader of its session which has it in its environment, or on the command line of
 * the program that is about to become it.
 */
export async function findByToken(reader: HostReader, token: string): Promise<number | undefined> {
  for (const name of (await reader.list('/proc')) ?? []) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await readOrNothing(reader, `/proc/${name}/stat`);
    if (stat === undefined || sessionOf(stat) !== name) continue;
    const texts = [
      await readOrNothing(reader, `/proc/${name}/environ`),
      await readOrNothing(reader, `/proc/${name}/cmdline`),
    ];
    if (texts.some((text) => text?.split('\0').includes(`${TOKEN}=${token}`))) return Number(name);
  }
  return undefined;
}

/** proc_pid_stat(5), field 6. */
function sessionOf(stat: string): string | undefined {
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[3];
}

/** A process can end between two reads (ESRCH), and those of others may be closed to us. */
async function readOrNothing(reader: HostReader, path: string): Promise<string | undefined> {
  try {
    return await reader.readText(path);
  } catch (error) {
    if (error instanceof HostError) return undefined;
    throw error;
  }
}
