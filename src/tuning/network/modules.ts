import { HostError } from '../../errors.ts';
import type { HostReader } from '../../host/host.ts';

/** What the kernel can load by itself when a sysctl names it. undefined: its module folder could not be read. */
export interface LoadableNames {
  readonly congestionControls: readonly string[] | undefined;
  readonly qdiscs: readonly string[] | undefined;
}

/**
 * Names of congestion controls (`tcp_bbr.ko.zst` is bbr) and queueing disciplines (`sch_fq.ko` is fq) that are built as
 * modules or into the kernel. Writing the sysctl loads the module (request_module), so loaded or not makes no difference.
 */
export async function observeLoadable(host: HostReader, release: string): Promise<LoadableNames> {
  const base = `/lib/modules/${release}`;
  const [ipv4, sched, builtin] = await Promise.all([
    listOrUndefined(host, `${base}/kernel/net/ipv4`),
    listOrUndefined(host, `${base}/kernel/net/sched`),
    readOrUndefined(host, `${base}/modules.builtin`),
  ]);
  const compiledIn = builtin?.split('\n').map((path) => path.slice(path.lastIndexOf('/') + 1));
  const known = (modules: readonly string[] | undefined, prefix: string) =>
    modules === undefined && compiledIn === undefined
      ? undefined
      : namesOf([...(modules ?? []), ...(compiledIn ?? [])], prefix);
  return { congestionControls: known(ipv4, 'tcp_'), qdiscs: known(sched, 'sch_') };
}

/** `tcp_bbr.ko.xz` with the prefix `tcp_` is bbr. */
export function namesOf(modules: readonly string[], prefix: string): readonly string[] {
  return modules.flatMap((file) => {
    const name = /^(?<name>[\w-]+)\.ko(?:\.\w+)?$/.exec(file)?.groups?.name;
    return name?.startsWith(prefix) ? [name.slice(prefix.length)] : [];
  });
}

async function listOrUndefined(host: HostReader, path: string): Promise<readonly string[] | undefined> {
  try {
    return await host.list(path);
  } catch (error) {
    if (error instanceof HostError) return undefined;
    throw error;
  }
}

async function readOrUndefined(host: HostReader, path: string): Promise<string | undefined> {
  try {
    return await host.readText(path);
  } catch (error) {
    if (error instanceof HostError) return undefined;
    throw error;
  }
}
