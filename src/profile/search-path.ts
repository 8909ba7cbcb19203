import { join } from 'node:path';

/** The folders where a profile's name is looked up: the administrator's own first, then the shipped ones. */
export function profileSearchPath(
  packageRoot: string,
  environment: Readonly<Record<string, string | undefined>>,
): readonly string[] {
  return [join(environment.HFT_CONFIG_DIR ?? '/etc/hft', 'profiles'), join(packageRoot, 'profiles')];
}
