import { lookAt } from '../agent/install/installing.ts';
import { planUninstall, type UninstallPlan, uninstall } from '../agent/install/uninstalling.ts';
import { printAddress } from '../agent/keys/agent-address.ts';
import { knownAgentsFile } from '../agent/keys/config-path.ts';
import { pinnedKeys } from '../agent/keys/known-agents.ts';
import { HftError } from '../errors.ts';
import { readTrusted } from '../host/guarded-file.ts';
import { withSession } from './agent-install.ts';
import { distrust } from './agent-keys.ts';
import type { SshHost, SshHostFlags } from './ssh-hosts.ts';

export interface UninstallFlags extends SshHostFlags {
  readonly 'keep-state': boolean;
}

export interface HostUninstallPlan extends UninstallPlan {
  /** Its key is in known_agents here. */
  readonly isPinned: boolean;
}

export interface Uninstalled {
  readonly plan: HostUninstallPlan;
  readonly outcome: 'uninstalled' | 'not-there' | 'dry-run' | 'declined';
  /** What is still there: files that are not of the agent's making, or were to be kept. */
  readonly left: readonly string[];
}

export function planHostUninstall(host: SshHost, flags: UninstallFlags): Promise<HostUninstallPlan> {
  return withSession(host, async (shell) => {
    const seen = await lookAt(host.name, shell, { withStatus: true });
    const isPinned = pinnedKeys(readTrusted(knownAgentsFile(process.env)) ?? '', host.address).length > 0;
    return { ...planUninstall(host.name, seen, { keepState: flags['keep-state'] }), isPinned };
  });
}

/** As it was shown, when nothing came into force there since; then its key is forgotten here. */
export async function uninstallHost(
  host: SshHost,
  flags: UninstallFlags,
  shown: HostUninstallPlan,
): Promise<Uninstalled> {
  const plan = await planHostUninstall(host, flags);
  if (plan.removes.join() !== shown.removes.join())
    throw new HftError(`${host.name}: it is not as it was when its plan was shown.`, {
      exitCode: 3,
      next: ['Nothing was done there. The same command shows the plan anew.'],
    });
  const left = plan.removes.length === 0 ? [] : await withSession(host, (shell) => uninstall(shell, plan));
  const isForgotten = await distrust(printAddress(host.address));
  const outcome = plan.removes.length === 0 && !isForgotten ? 'not-there' : 'uninstalled';
  return { plan, outcome, left };
}
