import { join } from 'node:path';
import { LocalHost } from '../host/local.ts';
import type { ProfileStore } from '../profile/sources.ts';
import { DEPLOYMENT } from '../profile/wording.ts';

/** Where this machine's deployments are: /etc/hft/deployments, and those shipped with the hft in `root`. */
export function openDeploymentStore(root: string): ProfileStore {
  return {
    searchPath: [join(process.env.HFT_CONFIG_DIR ?? '/etc/hft', 'deployments'), join(root, 'profiles/deployments')],
    reader: new LocalHost(),
    wording: DEPLOYMENT,
  };
}
