import { HostError } from '../errors.ts';
import type { HostReader } from '../host/host.ts';
import { findError } from './ethtool/strerror.ts';
import { unreadable } from './file.ts';
import type { TunableKind } from './kind.ts';
import type { DcbPfcTunable, Reading } from './tunable.ts';

/**
 * Whether one priority of a NIC is paused by itself (IEEE 802.1Qbb), through dcb(8). All priorities of a NIC are one command.
 * dcb-pfc(8)
 */
export const dcbPfcKind: TunableKind<DcbPfcTunable> = {
  persistent: false,
  read: readPfc,
  canonical(_tunable, value) {
    const word = value.trim();
    if (word === 'on' || word === 'off') return word;
    throw new RangeError(`expected on or off, got ${JSON.stringify(value)}`);
  },
  batchKey: ({ device }) => `dcb pfc ${device}`,
  async write(host, writes) {
    const [first] = writes;
    if (first === undefined) return;
    const { device } = first.tunable;
    const map = writes.map(({ tunable, value }) => {
      if (value === null) throw new HostError('remove', `PFC of ${device}`, 'EINVAL');
      return `${tunable.priority}:${value}`;
    });
    const words = ['pfc', 'set', 'dev', device, 'prio-pfc', ...map];
    const done = await host.execute(['dcb', ...words]);
    if (!done.found) throw new HostError('run', 'dcb', 'ENOENT');
    const code = findError(done.stderr)?.code;
    if (code !== undefined) throw new HostError('run', `dcb ${words.join(' ')}`, code);
  },
};

async function readPfc(reader: HostReader, { device, priority }: DcbPfcTunable): Promise<Reading> {
  const where = `dcb pfc show dev ${device}`;
  try {
    const shown = await reader.query(['dcb', '-j', 'pfc', 'show', 'dev', device]);
    if (!shown.found) {
      const evidence = `${where}: dcb is not installed (it is in iproute2), or its answer was not captured`;
      return { status: 'unreadable', code: 'ENOENT', evidence };
    }
    const map = parsePfc(shown.stdout);
    if (map !== undefined) {
      const on = map.flatMap((isOn, index) => (isOn ? [index] : []));
      const evidence = `${where}: on for ${on.length === 0 ? 'no priority' : on.join(', ')}`;
      return { status: 'value', value: map[priority] === true ? 'on' : 'off', evidence };
    }
    const error = findError(shown.stderr) ?? findError(shown.stdout);
    const evidence = `${where}: ${error?.line ?? `no answer that is dcb's, exit code ${shown.exitCode}`}`;
    if (error?.code === 'EOPNOTSUPP' || error?.code === 'ENODEV') return { status: 'missing', evidence };
    return { status: 'unreadable', code: error?.code ?? 'EINVAL', evidence };
  } catch (error) {
    return unreadable(error, where);
  }
}

/** IEEE 802.1Q */
const PRIORITIES = 8;

/** The `prio_pfc` of `dcb -j pfc show`, by priority; undefined for anything else. */
export function parsePfc(text: string): readonly boolean[] | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  const shown: unknown = Array.isArray(parsed) && parsed.length === 1 ? parsed[0] : parsed;
  const map: unknown = typeof shown === 'object' && shown !== null && 'prio_pfc' in shown ? shown.prio_pfc : undefined;
  if (!Array.isArray(map) || map.length !== PRIORITIES) return undefined;
  return map.every((each) => typeof each === 'boolean') ? (map as boolean[]) : undefined;
}
