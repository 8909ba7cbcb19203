import { HftError, ProfileError } from '../errors.ts';
import { CpuExpressionError } from '../layout/cpu-expression.ts';
import { LayoutError } from '../layout/layout-error.ts';
import { Contradiction } from '../tuning/contradiction.ts';
import { type Profile, placeOf } from './load.ts';
import { type Place, printPlace } from './problem.ts';

/**
 * Runs what works on a profile. A layout that the machine cannot have, and CPUs that it does not have, become errors
 * with their place in the file.
 */
export async function locateErrors<Result>(profile: Profile, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    const place = findPlace(error, profile);
    if (place === undefined || !(error instanceof HftError)) throw error;
    throw new ProfileError(printPlace(place), error.message, { next: error.next });
  }
}

function findPlace(error: unknown, profile: Profile): Place | undefined {
  if (error instanceof Contradiction) return placeOf(profile, error.path.split('.'));
  if (error instanceof LayoutError) return placeOf(profile, ['layout', error.key]);
  if (!(error instanceof CpuExpressionError)) return undefined;
  const [path] = findValue(profile.written, error.expression, []);
  return path === undefined ? undefined : placeOf(profile, path);
}

/** The paths of the values that are written like this. */
function findValue(tree: unknown, text: string, path: readonly string[]): (readonly string[])[] {
  if (typeof tree !== 'object' || tree === null) return String(tree) === text ? [path] : [];
  return Object.entries(tree).flatMap(([key, value]) => findValue(value, text, [...path, key]));
}
