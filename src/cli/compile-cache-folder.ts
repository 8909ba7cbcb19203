import { join } from 'node:path';

/**
 * Where compiled code is kept between runs. Whoever can write there decides what hft runs, so it is never a shared
 * folder such as /tmp (Node's default) and, for root, never below a HOME that sudo may have kept from somebody else.
 * undefined: no safe place is known, run without.
 */
export function compileCacheFolder(
  environment: Readonly<Record<string, string | undefined>>,
  uid: number | undefined,
): string | undefined {
  if (uid === 0) return '/var/cache/hft';
  const home = environment.HOME;
  const base = environment.XDG_CACHE_HOME ?? (home && join(home, '.cache'));
  return base?.startsWith('/') ? join(base, 'hft') : undefined;
}
