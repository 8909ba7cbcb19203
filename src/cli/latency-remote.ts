import type { RemoteHost } from '../agent/client/remote-host.ts';
import { LIMITS } from '../agent/protocol/limits.ts';
import type { Question } from '../agent/protocol/request.ts';
import type { SentLatency } from '../agent/protocol/sent-latency.ts';
import { UsageError } from '../errors.ts';
import { LocalHost } from '../host/local.ts';
import type { LatencyRecord } from '../latency/report/record.ts';
import { requireName } from '../latency/saved/saved-run.ts';
import type { BaselinePart } from '../views/report/input.ts';
import { isAgentPeer } from './agent-peer-name.ts';
import type { HostFlags } from './host-flag.ts';
import { watchCancellationOnce } from './interruption.ts';
import type { LatencyFlags } from './latency.ts';
import { readDuration, requireShortEnough } from './latency-duration.ts';
import { readScheduler, requireFlagsTogether } from './latency-flags.ts';
import { openPage } from './latency-record.ts';
import type { KeptResult, SavedFlags } from './latency-saved.ts';
import { requireServersAsked, resolvePlace } from './latency-servers.ts';
import type { NamedHost } from './named-host.ts';
import { openRemote } from './open-host.ts';
import { ProgressLine } from './progress.ts';
import type { Installation } from './target.ts';
import { loadWanted } from './wanted.ts';

type Flags = LatencyFlags & SavedFlags & HostFlags;

export interface RemoteMeasured {
  readonly result: KeptResult;
  readonly plots: LatencyRecord['plots'] | undefined;
  readonly exitCode: number;
  /** For stderr: what was asked for beside the result and failed. */
  readonly warnings: readonly string[];
}

/** What a host does not do for a controller, and why. */
const NOT_FOR_OTHERS: Readonly<Record<string, string>> = {
  redis: 'an agent connects to no data server that a controller names',
  memcached: 'an agent connects to no data server that a controller names',
  xdp: 'an agent attaches no program to an interface: a controller may be coming by it',
  pattern: 'no file is sent to an agent',
  fix: 'settings are tried beside whoever can look at the host',
  ingest: 'it judges a file of this machine',
  serve: 'measure with `--peer agent://HOST` from the other end, and the agent answers for that long',
};

/** Throws UsageError for what does not go over an agent. */
export function requireRemoteFlags(flags: Readonly<Record<string, unknown>>): void {
  const refused = Object.entries(NOT_FOR_OTHERS).find(([name]) => flags[name] !== undefined && flags[name] !== false);
  if (refused !== undefined) {
    const [name, why] = refused;
    throw new UsageError(`--${name} does not go with --host or --inventory: ${why}.`, {
      next: [`On the host itself: \`hft verify latency --${name}\`.`],
    });
  }
  if (isAgentPeer(`${flags.peer}`))
    throw new UsageError(
      '--peer agent:// does not go with --host or --inventory: the host that measures asks its peer.',
      {
        next: ['Type it on the host that is to measure, without --host.'],
      },
    );
  const isMany = flags.inventory !== undefined || (Array.isArray(flags.host) && flags.host.length > 1);
  const file = ['report', 'hdr'].find((name) => flags[name] !== undefined);
  if (isMany && file !== undefined)
    throw new UsageError(`--${file} is one file, and there are many hosts.`, {
      next: ['Name one host (`--host`), or `--save NAME`, which keeps each on its own host.'],
    });
}

/** Measures hosts through their agents. All that can be wrong here is found before any of them is asked. */
export async function remoteMeasurer(
  installation: Installation,
  flags: Flags,
): Promise<(host: NamedHost) => Promise<RemoteMeasured>> {
  requireRemoteFlags({ ...flags });
  requireFlagsTogether({ ...flags });
  requireServersAsked(flags);
  readScheduler(flags);
  const named = flags.profile === undefined ? undefined : await loadWanted(flags.profile, installation.root);
  const { toSent } = await import('../agent/client/remote-host.ts');
  const asked = { ...(await readRequest(flags)), ...(named && { profile: toSent(named.wanted) }) };
  const signal = watchCancellationOnce();
  const locate = named?.locate ?? (<T>(act: () => Promise<T>) => act());
  return (host) => locate(() => measureOne(host, { asked, flags, signal }));
}

type Asked = Omit<Extract<Question, { ask: 'verify-latency' }>, 'ask'>;

async function readRequest(flags: Flags): Promise<Asked> {
  const { probe, cpus, scheduler, clock, load, causes = true, save, baseline, report, hdr } = flags;
  if (save !== undefined) requireName('--save', save);
  if (baseline !== undefined) requireName('--baseline', baseline);
  const given = Object.entries({ probes: probe, cpus, scheduler, clock, load, baseline }).filter(
    ([, value]) => value !== undefined,
  );
  const mode = flags.append ? 'append' : flags.force ? 'force' : 'new';
  const durationS = readDuration(flags);
  requireShortEnough(1, { durationS, mostS: LIMITS.measuringS });
  return {
    suite: flags.suite === 'full' ? 'full' : 'quick',
    durationS,
    causes,
    wants: { hdr: hdr !== undefined, page: report !== undefined },
    ...Object.fromEntries(given),
    ...(save !== undefined && { save: { name: save, mode } }),
    ...(flags.peer !== undefined && { peer: await readPeer(flags.peer) }),
  };
}

/** Names are resolved where they are typed: the agent gets an address. */
async function readPeer(text: string): Promise<NonNullable<Asked['peer']>> {
  const place = await resolvePlace('peer', text);
  const { address = '', port } = /^\[?(?<address>.*?)\]?:(?<port>\d+)$/.exec(place)?.groups ?? {};
  return { address, port: Number(port) };
}

interface Measuring {
  readonly asked: Asked;
  readonly flags: Flags;
  readonly signal: AbortSignal;
}

async function measureOne(host: NamedHost, { asked, flags, signal }: Measuring): Promise<RemoteMeasured> {
  const { control, close } = await openRemote(host);
  const isAlone = flags.inventory === undefined && flags.host?.length === 1;
  const line = new ProgressLine(process.stderr);
  try {
    const write = await openFiles(flags, control);
    const onProgress = ({ what }: { readonly what: string }) => {
      if (isAlone) line.show(`${host.name}: ${what}`);
    };
    const sent = await control.verifying.latency(asked, { signal, onProgress });
    await write(sent);
    return { ...readSent(sent), exitCode: isMissing(sent, asked) ? 3 : sent.exitCode };
  } finally {
    line.clear();
    close();
  }
}

function readSent({ result, plots, warnings, leftOut }: SentLatency): Omit<RemoteMeasured, 'exitCode'> {
  const lost = result.saved?.error;
  return {
    result: result as unknown as KeptResult,
    plots: plots as LatencyRecord['plots'] | undefined,
    warnings: [...(lost ? [lost.message, ...lost.next] : []), ...warnings, ...leftOut],
  };
}

/** A file that was asked for could not be written. */
function isMissing({ hdr, record, plots }: SentLatency, { wants }: Asked): boolean {
  return (wants.hdr && hdr === undefined) || (wants.page && (record === undefined || plots === undefined));
}

/** Files are where they are typed. One that cannot be written is found out before the host measures, and after it is known to answer. */
async function openFiles(flags: Flags, control: RemoteHost): Promise<(sent: SentLatency) => Promise<void>> {
  if (flags.hdr === undefined && flags.report === undefined) return async () => {};
  await control.hello();
  const host = new LocalHost();
  if (flags.hdr !== undefined) await host.replaceFile(flags.hdr, '');
  const writePage = await openPage(flags.report);
  return async ({ hdr, record, result, plots, baseline }) => {
    if (flags.hdr !== undefined && hdr !== undefined) await host.replaceFile(flags.hdr, hdr);
    if (record === undefined || plots === undefined) return;
    const drawn = { ...record, result, plots } as unknown as LatencyRecord;
    await writePage(drawn, baseline as unknown as BaselinePart | undefined);
  };
}
