import { printCpulist } from '../topology/cpulist.ts';
import { printPartition } from './partition.ts';
import type { PlacedProcess } from './placement.ts';
import type { ProcessWanted } from './schema.ts';

/** Whom a process runs as; undefined ids: whoever starts it. */
export interface Account {
  readonly user: number;
  /** Its own first. */
  readonly groups: readonly number[];
  readonly name: string;
  readonly home: string;
}

export interface StartSite {
  /** The absolute path of hft-probe. */
  readonly probe: string;
  readonly account: Account | undefined;
  readonly log: string;
  /** Where its own variables are; undefined: it has none. */
  readonly environmentFile: string | undefined;
  /** Where it says that it lives; undefined: nobody listens. */
  readonly notifySocket: string | undefined;
}

/** `hft-probe start …`, which becomes the process: the same as its unit would have it. Pure. */
export function startLine(placed: PlacedProcess, wanted: ProcessWanted, site: StartSite): string[] {
  const { memory, threads, partition } = placed;
  const others = threads.find(({ key }) => key.kind === 'rest')?.scheduling;
  const memlock = wanted.limits.memlock ?? (memory.lock ? 'unlimited' : undefined);
  return [
    ...[site.probe, 'start', '--log', site.log],
    ...(partition === undefined ? [] : ['--partition', printPartition(partition)]),
    ...['--cpus', printCpulist(placed.rest)],
    ...(memory.policy === 'default' ? [] : ['--memory', `${memory.policy}:${printCpulist(memory.nodes)}`]),
    ...limit('rtprio', wanted.limits.rtprio),
    ...limit('memlock', memlock),
    ...limit('nofile', wanted.limits.nofile),
    // setrlimit(2): 20 less the nice value.
    ...limit('nice', wanted.limits.nice === undefined ? undefined : 20 - wanted.limits.nice),
    ...(wanted.oomScoreAdjust === 0 ? [] : ['--oom-score-adjust', String(wanted.oomScoreAdjust)]),
    ...niceOf(others?.policy === 'batch', others?.nice),
    ...variables(wanted, site),
    ...accountOptions(site.account),
    ...['--directory', wanted.directory ?? '/'],
    ...['--', ...(placed.bypass?.prefix ?? []), ...wanted.command],
  ];
}

/** `hft-probe start …`, which becomes the health check: as the same user, where the process started. */
export function checkLine(placed: PlacedProcess, wanted: ProcessWanted, site: StartSite): string[] | undefined {
  const { health } = wanted;
  if (health?.command === undefined) return undefined;
  return [
    ...[site.probe, 'start', '--cpus', printCpulist(placed.rest)],
    ...variables(wanted, { ...site, notifySocket: undefined }),
    ...accountOptions(site.account),
    ...['--directory', wanted.directory ?? '/'],
    ...['--alarm-ms', String(Math.round(health.within * 1000))],
    ...['--', ...health.command],
  ];
}

function limit(name: string, value: string | number | undefined): string[] {
  return value === undefined ? [] : ['--limit', `${name}=${value}`];
}

function niceOf(isBatch: boolean, nice: number | undefined): string[] {
  if (isBatch) return ['--batch', String(nice ?? 0)];
  return nice === undefined ? [] : ['--nice', String(nice)];
}

function accountOptions(account: Account | undefined): string[] {
  if (account === undefined) return [];
  return [...account.groups.flatMap((group) => ['--group', String(group)]), '--user', String(account.user)];
}

/** Beside those of its file, which is read before the account is taken, the few that systemd sets for every service. */
function variables({ environment }: ProcessWanted, { account, notifySocket, environmentFile }: StartSite): string[] {
  const all: Record<string, string> = {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    LANG: 'C.UTF-8',
    ...(account && { USER: account.name, LOGNAME: account.name, HOME: account.home }),
    ...(notifySocket !== undefined && { NOTIFY_SOCKET: notifySocket }),
  };
  const given = Object.entries(all).filter(([name]) => !Object.hasOwn(environment, name));
  return [
    ...given.flatMap(([name, value]) => ['--set', `${name}=${value}`]),
    ...(environmentFile === undefined ? [] : ['--environment', environmentFile]),
  ];
}
