import { HftError, HostError } from '../errors.ts';
import type { Host, HostReader } from '../host/host.ts';
import type { LaunchOrder } from '../launch/order.ts';
import type { ProcessRecord } from '../launch/supervision.ts';
import { parseUnits, recordOfUnit, UNIT_PROPERTIES, type UnitFacts } from '../launch/unit-state.ts';
import { UNIT_FOLDER, unitName } from '../launch/units.ts';
import { readStart } from './find-process.ts';

/** What systemd says of units, by their names. Throws HostError where there is no systemctl. */
export async function showUnits(reader: HostReader, names: readonly string[]): Promise<ReadonlyMap<string, UnitFacts>> {
  if (names.length === 0) return new Map();
  const shown = await reader.query(['systemctl', 'show', `--property=${UNIT_PROPERTIES.join(',')}`, ...names]);
  if (!shown.found) throw new HostError('run', 'systemctl', 'ENOENT');
  return parseUnits(shown.stdout);
}

/** The processes of an order as systemd has them now. */
export async function readUnitRecords(reader: HostReader, order: LaunchOrder): Promise<ProcessRecord[]> {
  const units = await showUnits(
    reader,
    order.processes.map(({ name }) => unitName(name)),
  );
  const records: ProcessRecord[] = [];
  for (const process of order.processes) {
    const unit = units.get(unitName(process.name)) ?? {};
    const pid = Number(unit.MainPID ?? 0);
    const startTicks = pid > 0 ? await readStart(reader, pid) : undefined;
    records.push(recordOfUnit(process, unit, { order, startTicks }));
  }
  return records;
}

/** Throws where a unit of one of these names is masked, or somebody else's elsewhere. `ours`: paths of hft's own. Changes nothing. */
export async function refuseOthersUnits(
  reader: HostReader,
  names: readonly string[],
  ours: ReadonlySet<string>,
): Promise<void> {
  for (const [name, { LoadState, FragmentPath }] of await showUnits(reader, names)) {
    if (LoadState === 'masked')
      throw new UnitRefused(`${name} is masked`, [`\`systemctl unmask ${name}\` lets it start.`]);
    const known = ['', `${UNIT_FOLDER}/${name}`, ...ours];
    if (FragmentPath !== undefined && !known.includes(FragmentPath))
      throw new UnitRefused(`${FragmentPath} is there, and hft did not write it`, ['Give the process another name.']);
  }
}

/** Throws where systemd has not loaded what was written. */
export async function requireLoaded(reader: HostReader, names: readonly string[]): Promise<void> {
  const units = await showUnits(reader, names);
  for (const name of names) {
    const { LoadState, FragmentPath, NeedDaemonReload } = units.get(name) ?? {};
    if (LoadState === 'loaded' && FragmentPath === `${UNIT_FOLDER}/${name}` && NeedDaemonReload !== 'yes') continue;
    const state =
      LoadState === undefined ? 'says nothing of it' : `has it as ${LoadState}, ${FragmentPath || 'from nowhere'}`;
    throw new UnitRefused(`${UNIT_FOLDER}/${name} was written, and systemd ${state}`, [
      'Nothing of it was kept. `journalctl -b _PID=1` says what systemd has against it.',
    ]);
  }
}

/** Queues their start. What failed before may start again at once: somebody asked for it. */
export async function startUnits(host: Host, names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  await host.execute(['systemctl', 'reset-failed', ...names]);
  const result = await host.execute(['systemctl', 'start', '--no-block', ...names]);
  if (result.found && result.exitCode === 0) return;
  const reason = result.found ? result.stderr.trim() || `exit code ${result.exitCode}` : 'there is no systemctl';
  throw new UnitRefused(`systemd does not start them: ${reason}`, ['See `journalctl -b _PID=1`.']);
}

/** Ends units, those that need others first, and returns when systemd has done so. Exit codes prove nothing. */
export async function stopUnits(host: Host, names: readonly string[]): Promise<readonly string[]> {
  if (names.length === 0) return [];
  const result = await host.execute(['systemctl', 'stop', ...names]);
  if (!result.found) throw new HostError('run', 'systemctl', 'ENOENT');
  const units = await showUnits(host, names);
  return names.filter((name) => !['inactive', 'failed', undefined].includes(units.get(name)?.ActiveState));
}

class UnitRefused extends HftError {
  constructor(reason: string, next: readonly string[]) {
    super(`Nothing was started: ${reason}.`, { exitCode: 3, next });
  }
}
