import type { ProfileContext } from '../profile/load.ts';
import { domains } from '../tuning/index.ts';
import { openProfileStore } from './profile-store.ts';

/** The profiles of this machine, with the domains that say which keys are right. */
export function installedProfiles(root: string): ProfileContext {
  return { ...openProfileStore(root), domains };
}
