import { LocalHost } from '../host/local.ts';
import { profileSearchPath } from '../profile/search-path.ts';
import type { ProfileStore } from '../profile/sources.ts';

/** Where this machine's profiles are: /etc/hft/profiles, and those shipped with the hft in `root`. */
export function openProfileStore(root: string): ProfileStore {
  return { searchPath: profileSearchPath(root, process.env), reader: new LocalHost() };
}
