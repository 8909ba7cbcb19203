import type { LayoutWanted } from '../layout/schema.ts';
import type { TuningDomain } from '../tuning/domain.ts';
import { describeIssues, describeUnknownRemovals, type Issue } from './check.ts';
import { InvalidProfile, type Place, type Problem } from './problem.ts';
import { profileJsonSchema, profileSchema } from './schema.ts';
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
  // Compiling the checks, as zod does by default, pays when a schema is used again and again.
  const result = profileSchema(context.domains).safeParse(written, { jitless: true });
  const problems = describeMistakes(source, result.error?.issues ?? [], context.domains);
  if (!result.success || problems.length > 0) throw new InvalidProfile(problems);
  const { name, description, layout, ...wanted } = result.data;
  return {
    name: name ?? source.name,
    description,
    file: source.file,
    sources: source.sources,
    wanted: Object.fromEntries(Object.entries(wanted).filter(([, part]) => part !== undefined)),
    layout,
    written: Object.fromEntries(Object.entries(written).filter(([key]) => key !== 'name' && key !== 'description')),
    positions: listPlaces(source.tree),
  };
}

/** All mistakes of a profile. Making its JSON schema takes longer than checking it, so it is made only for some. */
function describeMistakes(
  { tree, problems }: SourcedProfile,
  issues: readonly Issue[],
  domains: readonly TuningDomain[],
): readonly Problem[] {
  if (issues.length === 0 && findRemovals(tree).length === 0) return problems;
  const schema = profileJsonSchema(domains);
  return [...problems, ...describeUnknownRemovals(tree, schema), ...describeIssues(issues, tree, schema)];
}

/** Where a key was written, or the nearest key above it that was. */
export function placeOf(profile: Pick<Profile, 'positions' | 'file'>, path: readonly string[]): Place {
  for (let length = path.length; length > 0; length--) {
    const place = profile.positions[path.slice(0, length).join('.')];
    if (place !== undefined) return place;
  }
  return { file: profile.file, line: 1, column: 1 };
}
