import { HostError } from '../../errors.ts';
import type { Host, HostReader } from '../../host/host.ts';
import type { Reading } from '../tunable.ts';
import { runEthtool } from './execute.ts';
import { coversAllRings, type Indirection, isEven, parseIndirection, spellIndirection } from './indirection.ts';
import { type Shown, showEthtool } from './query.ts';

/** The RSS indirection table of a device, or why there is none. */
export function showIndirection(reader: HostReader, device: string): Promise<Shown<Indirection>> {
  return showEthtool(reader, { option: '-x', device, parse: parseIndirection });
}

/** The table in the words that `ethtool -X` has for it. */
export async function readRss(reader: HostReader, device: string): Promise<Reading> {
  const shown = await showIndirection(reader, device);
  if (!shown.ok) return shown.reading;
  const value = spellIndirection(shown.output.table);
  const { table, rings } = shown.output;
  return {
    status: 'value',
    value,
    evidence: `ethtool -x ${device}: ${table.length} buckets over ${rings} queues: ${value}`,
  };
}

/**
 * Sets the table. A table over all queues is most often the driver's own, and only `default` gives that back in full:
 * after a table of hand the driver keeps it and refuses fewer queues. So `default` is tried first for such a one.
 */
export async function writeRss(host: Host, device: string, value: string): Promise<void> {
  const before = await showIndirection(host, device);
  if (before.ok && coversAllRings(value, before.output.rings)) {
    await runEthtool(host, ['-X', device, 'default']);
    const now = await readRss(host, device);
    if (now.status === 'value' && now.value === value) return;
  }
  if (value.startsWith('table ')) throw new HostError('write', `RSS table of ${device}`, 'EINVAL');
  const code = await runEthtool(host, ['-X', device, ...value.split(' ')]);
  if (code !== undefined) throw new HostError('run', `ethtool -X ${device} ${value}`, code);
}

/**
 * Lets the driver make its own table again, when the one in force says no more than "all queues evenly". A table that
 * was set, even such a one, makes the kernel refuse fewer queues than it names. False when it says more: then it is
 * somebody's choice.
 */
export async function forgetEvenTable(host: Host, device: string): Promise<boolean> {
  const shown = await showIndirection(host, device);
  if (!shown.ok || !isEven(shown.output)) return false;
  await runEthtool(host, ['-X', device, 'default']);
  return true;
}
