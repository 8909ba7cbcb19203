import { HftError } from '../errors.ts';
import { InvalidProfile } from './problem.ts';
import { listProfileNames, type ProfileStore, readProfileFile } from './sources.ts';

/** A profile as a list shows it. */
export interface ListedProfile {
  readonly name: string;
  readonly description: string;
  readonly file: string;
  /** Why it cannot be read; undefined when it can. Its keys and what it extends are not: `hft profile validate`. */
  readonly problem?: string;
}

export async function listProfiles(store: ProfileStore): Promise<readonly ListedProfile[]> {
  const names = await listProfileNames(store);
  return Promise.all(names.map((name) => describeProfile(name, store)));
}

async function describeProfile(name: string, store: ProfileStore): Promise<ListedProfile> {
  try {
    const { file, tree } = await readProfileFile(name, store);
    const description = tree.entries.get('description')?.value;
    return { name, description: description?.kind === 'scalar' ? String(description.value) : '', file };
  } catch (error) {
    if (!(error instanceof HftError)) throw error;
    const file = error instanceof InvalidProfile ? (error.problems[0]?.place.file ?? name) : name;
    return { name, description: '', file, problem: error.message.split('\n')[0] ?? '' };
  }
}
