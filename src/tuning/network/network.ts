import type { HostReader } from '../../host/host.ts';
import { type Desired, defineDomain, type Refusal } from '../domain.ts';
import { catalogue } from '../knobs/catalogue.ts';
import { type Directories, foldersOf, listDirectories } from '../knobs/directories.ts';
import type { Knob } from '../knobs/knob.ts';
import { joinDesired, type KnobWish, knobId, wishKnobs } from '../knobs/wish.ts';
import { type LoadableNames, observeLoadable } from './modules.ts';
import type { NetworkWanted } from './schema.ts';

const AVAILABLE = '/proc/sys/net/ipv4/tcp_available_congestion_control';

export interface NetworkFacts extends LoadableNames {
  readonly directories: Directories;
  /** Congestion controls that are loaded; undefined when the file is not there. */
  readonly loaded: readonly string[] | undefined;
}

/** Sysctls of the network stack. https://docs.kernel.org/networking/ip-sysctl.html */
export const networkDomain = defineDomain<NetworkWanted, NetworkFacts>({
  name: 'network',
  schema: async () => (await import('./schema.ts')).networkWanted,
  async observe(host, machine) {
    const [directories, loaded, loadable] = await Promise.all([
      listDirectories(host, foldersOf(listNetworkKnobs())),
      readWords(host, AVAILABLE),
      observeLoadable(host, machine.kernel.release),
    ]);
    return { directories, loaded, ...loadable };
  },
  desire(wanted, facts, machine) {
    const wishes = listNetworkKnobs().flatMap((knob) => wishFor(knob, wanted));
    const impossible = wishes.flatMap((wish) => refuseUnavailable(wish, facts));
    const possible = wishes.filter((wish) => !impossible.some((refusal) => refusal.id === knobId(wish)));
    const desired = wishKnobs(possible, { kernel: machine.kernel, directories: facts.directories });
    return joinDesired(desired, { settings: [], refused: impossible } satisfies Desired);
  },
});

/** The knobs that a key of this domain sets, in the order of the catalogue. */
function listNetworkKnobs(): readonly Knob[] {
  return catalogue.filter((knob) => knob.key?.startsWith('network.'));
}

function wishFor(knob: Knob, wanted: NetworkWanted): readonly KnobWish[] {
  const key = (knob.key as string).slice('network.'.length) as keyof NetworkWanted;
  const value = wanted[key];
  if (value === undefined) return [];
  const text = Array.isArray(value) ? value.join(' ') : String(value);
  const harm = knob.name === 'net.ipv4.tcp_sack' && value === 0 ? tcpSackHarm : undefined;
  return [{ domain: 'network', knob: knob.name, value: text, ...(harm === undefined ? {} : { why: harm }) }];
}

const tcpSackHarm =
  'Asked for by the profile. Without selective acknowledgements one lost segment makes TCP send again what had arrived: ' +
  'recovery from loss gets slower, and nothing gets faster on a path without loss.';

/** A congestion control or queueing discipline that this kernel cannot load is refused before anything is written. */
function refuseUnavailable(wish: KnobWish, facts: NetworkFacts): readonly Refusal[] {
  const { knob, value } = wish;
  const id = knobId(wish);
  if (knob === 'net.ipv4.tcp_congestion_control') {
    if (facts.loaded === undefined || facts.loaded.includes(value)) return [];
    if (facts.congestionControls === undefined || facts.congestionControls.includes(value)) return [];
    const reason = `This kernel has no tcp_${value} module. Loaded: ${facts.loaded.join(' ')}.`;
    return [{ id, kind: 'unsupported', reason }];
  }
  if (knob === 'net.core.default_qdisc') {
    const alwaysThere = ['pfifo_fast', 'pfifo', 'bfifo', 'noqueue'];
    if (facts.qdiscs === undefined || [...facts.qdiscs, ...alwaysThere].includes(value)) return [];
    return [{ id, kind: 'unsupported', reason: `This kernel has no sch_${value} module.` }];
  }
  return [];
}

async function readWords(host: HostReader, path: string): Promise<readonly string[] | undefined> {
  const text = await host.readText(path);
  return text?.trim().split(/\s+/);
}
