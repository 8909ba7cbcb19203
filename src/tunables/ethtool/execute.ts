import { HostError } from '../../errors.ts';
import type { Host } from '../../host/host.ts';
import { findError } from './strerror.ts';

/**
 * Runs ethtool to change something. Gives the errno name when it says that it failed, undefined otherwise: an exit
 * code other than 0 alone proves nothing (80 is "nothing to change" for some versions), nor does 0.
 */
export async function runEthtool(host: Host, argv: readonly string[]): Promise<string | undefined> {
  const result = await host.execute(['ethtool', ...argv]);
  if (!result.found) throw new HostError('run', 'ethtool', 'ENOENT');
  return result.exitCode === 0 ? undefined : findError(result.stderr)?.code;
}
