import type { DriftWanted } from '../drift/schema.ts';
import type { LatencyWanted } from '../latency/targets/schema.ts';
import type { LayoutWanted } from '../layout/schema.ts';
import type { TuningDomain } from '../tuning/domain.ts';
import { findChecked } from './prepared.ts';
import { InvalidProfile, type Place } from './problem.ts';
import { findRemovals, listPlaces, toPlain } from './sourced.ts';
import { type ProfileStore, readProfileTree, type SourcedProfile } from './sources.ts';

/** What a host should be like: read, checked, with everything it extends merged in. Plain data. */
export interface Profile {
  readonly name: string;
  readonly description: string | undefined;
  readonly file: string;
  /** Every file it was read from, ancestors first. */
  readonly sources: readonly string[];
  /** The parsed part of each domain that the profile speaks of, by the domain's name. */
  readonly wanted: Readonly<Record<string, unknown>>;
  readonly layout: LayoutWanted;
  /** What `hft verify latency` judges by; undefined when the profile has no limits. */
  readonly latency: LatencyWanted | undefined;
  /** What the agent may do about settings that drifted; undefined: it tells them. */
  readonly drift: DriftWanted | undefined;
  /** The merged keys as they were written (`64M`, not 67108864), without the header. */
  readonly written: Readonly<Record<string, unknown>>;
  /** Where each value was written, by its path: `layout.isolated.cores`. */
  readonly positions: Readonly<Record<string, Place>>;
}

export interface ProfileContext extends ProfileStore {
  readonly domains: readonly TuningDomain[];
}

/** Loads a profile by name or path. Throws UsageError (no such profile) or InvalidProfile (all mistakes at once). */
export async function loadProfile(nameOrPath: string, context: ProfileContext): Promise<Profile> {
  const source = await readProfileTree(nameOrPath, context);
  const written = toPlain(source.tree) as Record<string, unknown>;
  const { name, description, layout, latency, drift, ...wanted } =
    findKnown(source, written, context) ?? (await check(source, written, context));
  return {
    name: name ?? source.name,
    description,
    file: source.file,
    sources: source.sources,
    wanted: Object.fromEntries(Object.entries(wanted).filter(([, part]) => part !== undefined)),
    layout,
    latency,
    drift,
    written: Object.fromEntries(Object.entries(written).filter(([key]) => key !== 'name' && key !== 'description')),
    positions: listPlaces(source.tree),
  };
}

/** What the schemas make of the keys of a profile. */
interface CheckedProfile {
  readonly name?: string | undefined;
  readonly description?: string | undefined;
  readonly layout: LayoutWanted;
  readonly latency?: LatencyWanted | undefined;
  readonly drift?: DriftWanted | undefined;
  readonly [domain: string]: unknown;
}

/** A shipped profile was checked when hft was built. */
function findKnown(
  { isPrepared }: SourcedProfile,
  written: unknown,
  { prepared }: ProfileContext,
): CheckedProfile | undefined {
  return isPrepared && prepared ? (findChecked(prepared, written) as CheckedProfile | undefined) : undefined;
}

/** The schemas are loaded for profiles that the build did not see. Throws InvalidProfile with all mistakes. */
async function check(
  { tree, problems }: SourcedProfile,
  written: unknown,
  { domains }: ProfileContext,
): Promise<CheckedProfile> {
  const { checkPlain, profileJsonSchema } = await import('./schema.ts');
  const { data, error } = await checkPlain(written, domains);
  // Making the JSON schema takes longer than checking the profile.
  if (data !== undefined && problems.length === 0 && findRemovals(tree).length === 0) return data;
  const { describeIssues, describeUnknownRemovals } = await import('./check.ts');
  const schema = await profileJsonSchema(domains);
  const mistakes = [
    ...problems,
    ...describeUnknownRemovals(tree, schema),
    ...describeIssues(error?.issues ?? [], tree, schema),
  ];
  if (data === undefined || mistakes.length > 0) throw new InvalidProfile(mistakes);
  return data;
}

/** Where a key was written, or the nearest key above it that was. */
export function placeOf(profile: Pick<Profile, 'positions' | 'file'>, path: readonly string[]): Place {
  for (let length = path.length; length > 0; length--) {
    const place = profile.positions[path.slice(0, length).join('.')];
    if (place !== undefined) return place;
  }
  return { file: profile.file, line: 1, column: 1 };
}
