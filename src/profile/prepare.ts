import { loadProfile, type ProfileContext } from './load.ts';
import { checkedKey, type PackedTree, type PreparedProfiles, packTree } from './prepared.ts';
import { checkPlain } from './schema.ts';
import { toPlain } from './sourced.ts';
import { listProfileNames, readProfileFile, readProfileTree } from './sources.ts';

/**
 * Parses and checks every profile that a store has by name, for the build. Throws InvalidProfile when one of them is
 * wrong: such a profile is not shipped.
 */
export async function prepareProfiles(context: ProfileContext): Promise<PreparedProfiles> {
  const trees: Record<string, PackedTree> = {};
  const checked: Record<string, unknown> = {};
  for (const name of await listProfileNames(context)) {
    await loadProfile(name, context);
    const { tree, text } = await readProfileFile(name, context);
    trees[text] = packTree(tree);
    const written = toPlain((await readProfileTree(name, context)).tree);
    checked[checkedKey(written)] = (await checkPlain(written, context.domains)).data;
  }
  return { trees, checked };
}
