import { LocalHost } from '../host/local.ts';
import type { ProfileContext } from '../profile/load.ts';
import { profileSearchPath } from '../profile/search-path.ts';
import { domains } from '../tuning/index.ts';

/** The profiles of this machine: those of /etc/hft/profiles and those shipped with the hft in `root`. */
export function installedProfiles(root: string): ProfileContext {
  return { searchPath: profileSearchPath(root, process.env), reader: new LocalHost(), domains };
}
