import { LocalHost } from '../host/local.ts';
import { profileSearchPath } from '../profile/search-path.ts';
import type { ProfileStore } from '../profile/sources.ts';

/** JSON of PreparedProfiles. scripts/build.ts puts it here, beside the very schemas that checked them. */
declare const PREPARED_PROFILES: string | undefined;

/** Where this machine's profiles are: /etc/hft/profiles, and those shipped with the hft in `root`. */
export function openProfileStore(root: string): ProfileStore {
  return {
    searchPath: profileSearchPath(root, process.env),
    reader: new LocalHost(),
    prepared: typeof PREPARED_PROFILES === 'string' ? JSON.parse(PREPARED_PROFILES) : undefined,
  };
}
