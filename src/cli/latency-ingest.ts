import { HostError, UsageError } from '../errors.ts';
import { LocalHost } from '../host/local.ts';
import { HdrLogError, type ReadInterval, readHdrLog } from '../latency/histogram/log-read.ts';
import { type IngestResult, ingestExitCode, judgeLog } from '../latency/ingest/ingested.ts';
import { listTargets, type Target } from '../latency/targets/target.ts';
import { parseUnit } from './latency-unit.ts';
import { type Installation, openAgent } from './target.ts';
import { loadWanted } from './wanted.ts';

export interface IngestFlags {
  readonly ingest: string;
  /** `ROW`, for every tag that has none of its own, or `TAG=ROW`. */
  readonly as?: readonly string[] | undefined;
  readonly unit?: string | undefined;
  readonly profile?: string | undefined;
}

/** Judges somebody's own HDR log by the limits of the profile that was named or is in force. Reads two files and no machine. */
export async function ingestLog(
  installation: Installation,
  flags: IngestFlags,
): Promise<{ readonly result: IngestResult; readonly exitCode: number }> {
  const { ingest: file, profile } = flags;
  const unitNs = parseUnit(flags.unit);
  const wanted =
    profile === undefined
      ? (await (await openAgent(installation)).inForce())?.wanted
      : (await loadWanted(profile, installation.root)).wanted;
  const targets = listTargets(wanted?.latency);
  const intervals = readHdrLog(await readLog(file), { file, unitNs });
  const targetFor = chooseTargets({ as: flags.as ?? [], targets, intervals, file, profile: wanted?.name });
  const unit = (flags.unit ?? 'ns') as IngestResult['unit'];
  const result = judgeLog(intervals, { file, unit, profile: wanted?.name, targetFor });
  return { result, exitCode: ingestExitCode(result) };
}

/** A file that is no HDR log is wrong usage, whatever is wrong with it. */
async function readLog(file: string): Promise<string> {
  try {
    const text = await new LocalHost().readText(file);
    if (text !== undefined) return text;
  } catch (cause) {
    if (!(cause instanceof HostError)) throw cause;
    throw new UsageError(`${file}: cannot be read: ${cause.code}`, { cause, next: cause.next });
  }
  throw new UsageError(`There is no file ${file}.`);
}

interface Choosing {
  readonly as: readonly string[];
  readonly targets: readonly Target[];
  readonly intervals: readonly ReadInterval[];
  readonly file: string;
  readonly profile: string | undefined;
}

/** By `--as`, else by a tag that is the name of a row. Throws UsageError where that leaves nothing to judge in a profile. */
function chooseTargets(choosing: Choosing): (tag: string | undefined) => Target | undefined {
  const { as, targets, intervals, profile } = choosing;
  const tags = new Set(intervals.map(({ tag }) => tag));
  if (as.length > 0 && profile === undefined) {
    throw new UsageError('--as names a row of a profile, and none was named and none is in force.', {
      next: ['`--profile NAME` says whose limits.'],
    });
  }
  const find = (name: string) => findTarget(name, choosing);
  const mapped = new Map(as.filter((text) => text.includes('=')).map((text) => splitMapping(text, tags, find)));
  const [general, another] = as.filter((text) => !text.includes('='));
  if (another !== undefined) {
    throw new UsageError(`--as ${another}: ${general} is to judge the log already.`, {
      next: ['`--as TAG=ROW` says it for one tag.'],
    });
  }
  const rest = general === undefined ? undefined : find(general);
  const targetFor = (tag: string | undefined) =>
    (tag === undefined ? undefined : mapped.get(tag)) ?? rest ?? targets.find(({ name }) => name === tag);
  if (profile !== undefined && ![...tags].some((tag) => targetFor(tag) !== undefined)) throw nothingToJudge(choosing);
  return targetFor;
}

function splitMapping(
  text: string,
  tags: ReadonlySet<string | undefined>,
  find: (name: string) => Target,
): [string, Target] {
  const at = text.lastIndexOf('=');
  const [tag, row] = [text.slice(0, at), text.slice(at + 1)];
  if (!tags.has(tag)) {
    throw new UsageError(`--as ${text}: the log has no tag ${tag}.`, { next: [`Its tags: ${sayTags(tags)}.`] });
  }
  return [tag, find(row)];
}

function findTarget(name: string, { targets, profile }: Choosing): Target {
  const found = targets.find((target) => target.name === name);
  if (found !== undefined) return found;
  throw new UsageError(`--as: ${profile} has no row ${name}.`, { next: [`Its rows: ${sayRows(targets)}.`] });
}

function nothingToJudge({ targets, intervals, file, profile }: Choosing): HdrLogError {
  const tags = new Set(intervals.map(({ tag }) => tag));
  return new HdrLogError(
    `${file}:${intervals[0]?.line ?? 1}`,
    `expected a tag that is a row of ${profile}, got only ${sayTags(tags)}`,
    { next: ['`--as ROW` says which row judges it, `--as TAG=ROW` for one tag.', `Rows: ${sayRows(targets)}.`] },
  );
}

function sayTags(tags: ReadonlySet<string | undefined>): string {
  return [...tags].map((tag) => tag ?? '(no tag)').join(', ');
}

function sayRows(targets: readonly Target[]): string {
  return targets.map(({ name }) => name).join(', ') || 'none';
}
