import { applySteps, type PlannedStep } from '../engine/apply.ts';
import { forgetRun, type Run, RunJournal, readRun, readRuns } from '../engine/journal.ts';
import { type UndoReport, undoRun } from '../engine/undo.ts';
import { HftError, HostError } from '../errors.ts';
import type { Host } from '../host/host.ts';
import type { StateDirectory } from '../host/state-directory.ts';
import type { UnitFile } from '../launch/units.ts';
import { layoutWanted } from '../layout/schema.ts';
import { configFileKind } from '../tunables/config-file.ts';
import type { ConfigFileTunable } from '../tunables/tunable.ts';

/** Where unit files are written, and the journal by which each of them can be taken back: apart from that of profiles. */
export interface UnitSite {
  readonly host: Host;
  readonly kept: StateDirectory;
  readonly version: string;
  readonly bootId: string;
  readonly now: () => Date;
  readonly nameRun: () => string;
}

/**
 * Makes the unit files of hft these and no others. Returns the run, which is open until `endUnitRun`: an hft that dies before is
 * undone by the next one. undefined: they are so already. Throws, with everything undone, what cannot be written or is not hft's.
 */
export async function writeUnits(
  site: UnitSite,
  files: readonly UnitFile[],
  deployment: string,
): Promise<string | undefined> {
  const steps = await planUnits(site, files);
  if (steps.length === 0) return undefined;
  const run = site.nameRun();
  const journal = new RunJournal(site.kept, run);
  const failure = await write(site, { journal, steps, deployment });
  if (failure === undefined) return run;
  const undone = await undoUnitRun(site, run);
  throw new UnitsNotWritten(failure, undone?.complete ?? true);
}

/** The run is kept: what it wrote is what was ordered. */
export async function endUnitRun({ kept }: UnitSite, run: string): Promise<void> {
  await new RunJournal(kept, run).record({ type: 'end', result: 'applied' });
}

/** Takes back one run; undefined: there is none of the name. */
export async function undoUnitRun(site: UnitSite, name: string): Promise<UndoReport | undefined> {
  const run = await readRun(site.kept, name);
  if (run === undefined) return undefined;
  const report = await undo(site, run);
  await reloadUnits(site.host);
  if (report.complete) await forgetRun(site.kept, name);
  return report;
}

async function undo({ host, kept, bootId }: UnitSite, run: Run): Promise<UndoReport> {
  const report = await undoRun({ host, state: kept, bootId }, run);
  // An undo that was cut off between a file and its folder finds the file gone.
  const made = run.steps.flatMap(({ tunable }) => (tunable.kind === 'config-file' ? (tunable.makesFolders ?? []) : []));
  for (const folder of made.toReversed()) if ((await host.list(folder))?.length === 0) await host.removeFolder(folder);
  return report;
}

/** Runs that a kill cut off: kept when the order that belongs to them was written, else taken back. */
export async function settleUnits(site: UnitSite, orderedBy: string | undefined): Promise<void> {
  for (const { run } of (await findCutOff(site.kept)).toReversed()) {
    if (run === orderedBy) await endUnitRun(site, run);
    else await undoUnitRun(site, run);
  }
}

/** Takes all of it back, the newest run first. Nothing of a run that could be undone whole is kept. */
export async function takeBackUnits(site: UnitSite): Promise<readonly UndoReport[]> {
  const reports: UndoReport[] = [];
  for (const run of (await readRuns(site.kept)).toReversed()) {
    reports.push(await undo(site, run));
  }
  if (reports.length > 0) await reloadUnits(site.host);
  if (reports.every(({ complete }) => complete))
    for (const run of await readRuns(site.kept)) await forgetRun(site.kept, run.run);
  return reports;
}

/** Runs that neither ended well nor were taken back. */
export async function findCutOff(kept: StateDirectory): Promise<readonly Run[]> {
  return (await readRuns(kept)).filter(({ result }) => result === undefined);
}

/** What hft wrote, by path, as it was read back. */
export async function findHeldUnits(kept: StateDirectory): Promise<ReadonlyMap<string, string>> {
  const held = new Map<string, string>();
  for (const { steps } of await readRuns(kept)) {
    for (const { status, tunable, reported } of steps) {
      if (status !== 'done' || tunable.kind !== 'config-file') continue;
      if (reported === null || reported === undefined) held.delete(tunable.path);
      else held.set(tunable.path, reported);
    }
  }
  return held;
}

/** After unit files have changed. Exit codes prove nothing: who needs a unit asks for its state. */
export async function reloadUnits(host: Host): Promise<void> {
  const result = await host.execute(['systemctl', 'daemon-reload']);
  if (!result.found) throw new HostError('run', 'systemctl', 'ENOENT');
}

/** Nothing that is not hft's is written over, and nothing that somebody changed since. What is not wanted any more and was changed stays. */
async function planUnits({ host, kept }: UnitSite, files: readonly UnitFile[]): Promise<PlannedStep[]> {
  const held = await findHeldUnits(kept);
  const steps: PlannedStep[] = [];
  for (const { path, text } of files) {
    const found = await readUnit(host, path);
    if (found === text && held.get(path) === text) continue;
    if (found !== null && found !== held.get(path)) throw new NotOurs(path, held.has(path));
    steps.push(stepOf(steps.length, { path, from: found, to: text }));
  }
  for (const [path, text] of held) {
    if (files.some((file) => file.path === path) || (await readUnit(host, path)) !== text) continue;
    steps.push(stepOf(steps.length, { path, from: text, to: null }));
  }
  return steps;
}

/** null: it is not there. Throws HostError where it cannot be read. */
async function readUnit(host: Host, path: string): Promise<string | null> {
  const reading = await configFileKind.read(host, { kind: 'config-file', path, mode: UNIT_MODE });
  if (reading.status === 'value') return reading.value;
  throw new HostError('read', path, reading.status === 'unreadable' ? reading.code : 'ENOENT');
}

const UNIT_MODE = 0o644;

interface FileChange {
  readonly path: string;
  readonly from: string | null;
  readonly to: string | null;
}

function stepOf(step: number, { path, from, to }: FileChange): PlannedStep {
  const tunable: ConfigFileTunable = { kind: 'config-file', path, mode: UNIT_MODE };
  const setting = {
    id: `launch.unit@${path.replace(/^\/(?:etc|run)\/systemd\/system\//, '')}`,
    stage: 'values',
    tunable,
    value: to,
    why: 'systemd runs the process by it.',
    ifRefused: 'fail',
    disruption: 'none',
  } as const;
  return { step, setting, tunable, from, to, persistent: configFileKind.persistent };
}

interface Writing {
  readonly journal: RunJournal;
  readonly steps: readonly PlannedStep[];
  readonly deployment: string;
}

/** Why it failed, one sentence; undefined: all of it is there and systemd has read it. */
async function write(site: UnitSite, { journal, steps, deployment }: Writing): Promise<string | undefined> {
  const { host, version, bootId, now } = site;
  const begin = {
    type: 'begin',
    run: journal.run,
    time: now().toISOString(),
    host: host.label,
    bootId,
    origin: 'user',
    wanted: { name: deployment, layout: layoutWanted.parse({}), domains: {} },
    version,
  } as const;
  try {
    await journal.record(begin);
    const { failure } = await applySteps({ host, journal }, steps);
    if (failure !== undefined) return `${failure.id}: ${failure.reason}`;
    await reloadUnits(host);
    return undefined;
  } catch (error) {
    if (error instanceof HostError) return error.message;
    throw error;
  }
}

class NotOurs extends HftError {
  constructor(path: string, wasOurs: boolean) {
    const what = wasOurs ? 'somebody changed it since hft wrote it' : 'hft did not write it';
    super(`Nothing was started: ${path} is there, and ${what}.`, {
      exitCode: 3,
      next: [`Nothing was changed. Move it away (\`systemctl cat\` shows it), or give the process another name.`],
    });
  }
}

class UnitsNotWritten extends HftError {
  constructor(reason: string, isUndone: boolean) {
    const undone = isUndone ? 'No unit was changed' : 'Not every unit could be put back: `hft stop` tries again';
    super(`Nothing was started: the units could not be written: ${reason}.`, {
      exitCode: isUndone ? 3 : 4,
      next: [`${undone}.`],
    });
  }
}
