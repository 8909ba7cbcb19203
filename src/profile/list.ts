import { UsageError } from '../errors.ts';
import { InvalidProfile } from './problem.ts';
import { listProfileNames, type ProfileStore, readProfileTree } from './sources.ts';

/** A profile as a list shows it. */
export interface ListedProfile {
  readonly name: string;
  readonly description: string;
  readonly file: string;
  /** Why it cannot be read; undefined when it can. Its keys are not checked: `hft profile validate` does. */
  readonly problem?: string;
}

export async function listProfiles(store: ProfileStore): Promise<readonly ListedProfile[]> {
  const names = await listProfileNames(store);
  return Promise.all(names.map((name) => describeProfile(name, store)));
}

async function describeProfile(name: string, store: ProfileStore): Promise<ListedProfile> {
  try {
    const { file, tree } = await readProfileTree(name, store);
    const description = tree.entries.get('description')?.value;
    return { name, description: description?.kind === 'scalar' ? String(description.value) : '', file };
  } catch (error) {
    if (error instanceof InvalidProfile) {
      const [first] = error.problems;
      return { name, description: '', file: first?.place.file ?? name, problem: error.message.split('\n')[0] ?? '' };
    }
    if (error instanceof UsageError) return { name, description: '', file: name, problem: error.message };
    throw error;
  }
}
