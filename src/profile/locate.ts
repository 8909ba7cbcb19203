import { ProfileError } from '../errors.ts';
import { LayoutError } from '../layout/layout-error.ts';
import { type Profile, placeOf } from './load.ts';
import { printPlace } from './problem.ts';

/** Runs what works on a profile; a layout that the machine cannot have becomes an error with its place in the file. */
export async function locateErrors<Result>(profile: Profile, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof LayoutError)) throw error;
    const place = placeOf(profile, ['layout', error.key]);
    throw new ProfileError(printPlace(place), error.message, { next: error.next });
  }
}
