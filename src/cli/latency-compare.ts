import { localBaselines, readCopiedBaseline, type StoredRun } from '../agent/baselines.ts';
import { HftError, UsageError } from '../errors.ts';
import { LocalHost } from '../host/local.ts';
import { HdrLogError, readHdrLog } from '../latency/histogram/log-read.ts';
import {
  type ComparedState,
  type CompareResult,
  compareExitCode,
  compareStates,
  type StateRun,
} from '../latency/saved/comparison.ts';
import {
  type ComparableRow,
  comparableRow,
  comparedTags,
  kindOfTag,
  type StreamKind,
} from '../latency/saved/logged-rows.ts';
import { tagOfRow } from '../latency/saved/saved-run.ts';
import { pairByTime, pairsMissing } from '../latency/statistics/interleaved.ts';
import { parseUnit } from './latency-unit.ts';

export interface CompareFlags {
  readonly abab: boolean;
  readonly tolerance: string;
  readonly unit?: string | undefined;
}

/** A saved measurement, as the listing has it. */
export interface SavedName {
  readonly name: string;
  readonly runs: readonly string[];
}

export async function listSaved(): Promise<readonly SavedName[]> {
  const found = await localBaselines(process.env).list();
  return found.map(({ name, runs }) => ({ name, runs }));
}

export async function compareSaved(
  names: { readonly before: string; readonly after: string | undefined },
  flags: CompareFlags,
): Promise<{ readonly result: CompareResult; readonly exitCode: number }> {
  const tolerance = readTolerance(flags.tolerance);
  const unitNs = parseUnit(flags.unit);
  if (names.after === undefined) throw await onlyOne(names.before);
  if (names.before === names.after) throw new UsageError(`${names.before} compared with itself tells nothing.`);
  const before = await readState(names.before, unitNs);
  const after = await readState(names.after, unitNs);
  if (flags.abab) requireInterleaved(before, after);
  const result = compareStates(before, after, tolerance);
  return { result, exitCode: compareExitCode(result) };
}

async function onlyOne(name: string): Promise<UsageError> {
  const others = (await listSaved()).filter((saved) => saved.name !== name).map((saved) => saved.name);
  const there = others.length === 0 ? 'No other one is saved.' : `Saved: ${others.join(', ')}.`;
  return new UsageError(`\`hft verify latency compare\` needs two measurements, got only ${name}.`, { next: [there] });
}

function readTolerance(text: string): number {
  const percent = Number(/^(?<number>\d+(\.\d+)?)\s*%?$/.exec(text.trim())?.groups?.number ?? Number.NaN);
  if (percent >= 0 && percent <= 100) return percent / 100;
  throw new UsageError(`--tolerance: expected a share from 0% to 100%, such as 5%, got ${JSON.stringify(text)}`);
}

/** A path (anything with a slash) or a saved name, and what is neither a file of that name here. */
async function readState(name: string, unitNs: number): Promise<ComparedState> {
  if (name.includes('/')) return readPath(name, unitNs);
  const baselines = localBaselines(process.env);
  const isSaved = (await baselines.find(name)) !== undefined;
  if (!isSaved && (await new LocalHost().list('.'))?.includes(name)) return readPath(`./${name}`, unitNs);
  return readSaved(name, await baselines.load(name));
}

/** A log; a folder of logs, each of which is a run; or the folder of a saved measurement. */
async function readPath(path: string, unitNs: number): Promise<ComparedState> {
  const host = new LocalHost();
  const files = await host.list(path);
  if (files === undefined) return { name: path, runs: [await readLogRun(host, path, unitNs)] };
  const copied = await readCopiedBaseline(path);
  if (copied !== undefined) return readSaved(path, copied);
  const logs = files.filter((file) => /\.(hlog|hdr)$/.test(file));
  if (logs.length === 0) {
    throw new UsageError(`${path}: expected a saved measurement or HDR logs (*.hlog, *.hdr), got neither.`);
  }
  const runs: StateRun[] = [];
  for (const log of logs) runs.push(await readLogRun(host, `${path.replace(/\/$/, '')}/${log}`, unitNs));
  return { name: path, runs: runs.sort((one, other) => one.startEpochS - other.startEpochS) };
}

async function readLogRun(host: LocalHost, file: string, unitNs: number): Promise<StateRun> {
  const text = await host.readText(file);
  if (text === undefined) throw new UsageError(`There is no file ${file}.`);
  const { rows, unusable, startEpochS } = readRows(text, { file, unitNs });
  return { run: file, startEpochS, rows, unusable, reported: undefined, fingerprint: undefined };
}

async function readSaved(name: string, stored: readonly StoredRun[]): Promise<ComparedState> {
  const runs: StateRun[] = [];
  for (const { saved, logFile, readLog } of stored) {
    const { fingerprint, startEpochS, result } = saved;
    const reported = new Map(result.probes.map((row) => [tagOfRow(row), row]));
    const kinds = new Map([...reported].map(([tag, { quantity, floorNs }]) => [tag, { quantity, floorNs }]));
    const { rows, unusable } = readRows(await readLog(), { file: logFile, unitNs: 1, kinds });
    for (const [tag, row] of reported) {
      const invalid = result.findings.find(
        (finding) => finding.invalidates && finding.probe === row.name && finding.variant === row.variant,
      );
      if (invalid !== undefined) unusable.set(tag, invalid.text);
    }
    runs.push({ run: `${name} ${saved.run}`, startEpochS, rows, unusable, reported, fingerprint });
  }
  return { name, runs };
}

interface LogPlace {
  readonly file: string;
  readonly unitNs: number;
  /** The rows that were reported; undefined: all tags of the log, by what these say. */
  readonly kinds?: ReadonlyMap<string, StreamKind>;
}

function readRows(text: string, { file, unitNs, kinds }: LogPlace) {
  const intervals = readHdrLog(text, { file, unitNs });
  const rows = new Map<string, ComparableRow>();
  const unusable = new Map<string, string>();
  const there = new Set(intervals.map(({ tag }) => tag));
  for (const tag of kinds === undefined ? comparedTags(intervals) : kinds.keys()) {
    const name = tag ?? '(no tag)';
    if (!there.has(tag)) throw new HdrLogError(`${file}:1`, `expected intervals of ${name}, got none`);
    const row = comparableRow(intervals, { file, tag }, kinds?.get(name) ?? kindOfTag(tag));
    if (row === undefined) unusable.set(name, 'there are no samples');
    else rows.set(name, row);
  }
  const startEpochS = intervals.reduce(
    (first, interval) => Math.min(first, interval.startEpochS),
    Number.POSITIVE_INFINITY,
  );
  return { rows, unusable, startEpochS };
}

/** Exit 6: the runs that there are cannot decide, whatever they show. */
function requireInterleaved(before: ComparedState, after: ComparedState): void {
  const pairing = pairByTime(before.runs, after.runs);
  const missing = pairsMissing(pairing);
  if (missing === 0) return;
  const { pairs, order, leftOut } = pairing;
  const runs = `${pairs.length} ${pairs.length === 1 ? 'pair' : 'pairs'} of neighbours`;
  const alone = leftOut.length === 0 ? '' : `, ${leftOut.length} of the runs in none`;
  const [first, second] = nextState(order, before.name, after.name);
  const times = missing === 1 ? 'once more each' : `${missing} more times each`;
  throw new HftError(
    `--abab: ${order} is the order of the runs (A is ${before.name}, B is ${after.name}): ${runs}${alone}. It takes four.`,
    {
      exitCode: 6,
      next: [
        `Next: the state of ${first}, ${sayAddition(first)}; then ${second} likewise, and so on in turn, ${times}.`,
        'Leave --abab out to see what the runs show.',
      ],
    },
  );
}

function sayAddition(name: string): string {
  return name.includes('/')
    ? 'another log of it, all of them in one folder'
    : `\`hft verify latency --save ${name} --append\``;
}

/** After a run of one state comes one of the other. */
function nextState(order: string, before: string, after: string): [string, string] {
  return order.endsWith('A') ? [after, before] : [before, after];
}
