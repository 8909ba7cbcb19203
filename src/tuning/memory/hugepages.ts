import type { PlacedMachine } from '../../layout/layout.ts';
import type { NumaNode } from '../../topology/machine.ts';
import type { BootArgTunable } from '../../tunables/tunable.ts';
import type { Desired, Refusal, Setting } from '../domain.ts';
import { NOT_CAPTURED } from '../knobs/directories.ts';
import { isBefore } from '../knobs/locate.ts';
import type { HugepagesWanted, PoolWanted } from './schema.ts';

const SIZES = { '1G': 2 ** 30, '2M': 2 ** 21 } as const;
type Size = keyof typeof SIZES;

/** The largest part of a node's memory that may become hugepages: the rest is for everything else that runs there. */
const LARGEST_SHARE = 0.9;

/** So many pages of one size on each of these nodes. */
interface Spread {
  readonly size: Size;
  readonly pool: PoolWanted;
  readonly perNode: ReadonlyMap<number, number>;
}

/** What the decision is made from. isWhole: what is not there is not on the machine either. */
export interface GivenMemory {
  readonly machine: PlacedMachine;
  readonly isWhole: boolean;
}

/** Pools of hugepages: per node at run time, as boot arguments, and their mounts. */
export function desireHugepages(wanted: HugepagesWanted, given: GivenMemory): Desired {
  const { machine } = given;
  const settings: Setting[] = [];
  const refused: Refusal[] = [];
  const atBoot: Spread[] = [];
  for (const size of Object.keys(SIZES) as Size[]) {
    const pool = wanted[size];
    if (pool === undefined) continue;
    const spread = spreadPages(size, pool, given);
    if ('reason' in spread) {
      refused.push(spread);
      continue;
    }
    if (pool.at === 'boot') atBoot.push(spread);
    else settings.push(...nodeSettings(spread));
    if (pool.mount !== undefined) settings.push(mountSetting(size, pool.mount));
  }
  const boot = bootSetting(atBoot, wanted.default, machine);
  if (boot !== undefined) settings.push(boot);
  return { settings, refused };
}

/** Decides how many pages each chosen node gives, or why it cannot. */
function spreadPages(size: Size, pool: PoolWanted, { machine, isWhole }: GivenMemory): Spread | Refusal {
  const id = `memory.hugepages@${size}`;
  const able = machine.topology.nodes.filter((node) => hasSize(node, size));
  if (able.length === 0) {
    const isKnown = isWhole || machine.topology.nodes.some((node) => node.hugepages.length > 0);
    if (!isKnown) return { id, kind: 'unknown', reason: NOT_CAPTURED };
    const reason = `${machine.host} has no hugepages of ${size} (CPU flag ${size === '1G' ? 'pdpe1gb' : 'pse'}, CONFIG_HUGETLBFS).`;
    return { id, kind: 'unsupported', reason };
  }
  const nodes = chooseNodes(pool, able, machine);
  if (nodes.length === 0) {
    const known = able.map((node) => node.node).join(', ');
    return {
      id,
      kind: 'unsupported',
      reason: `None of the nodes asked for has memory on ${machine.host} (nodes with memory: ${known}).`,
    };
  }
  const perNode = new Map(nodes.map((node, index) => [node.node, pagesOn(pool, nodes.length, index)]));
  const tooSmall = nodes.find(
    (node) => (perNode.get(node.node) as number) * SIZES[size] > node.memoryBytes * LARGEST_SHARE,
  );
  if (tooSmall === undefined) return { size, pool, perNode };
  const asked = gib((perNode.get(tooSmall.node) as number) * SIZES[size]);
  const has = gib(tooSmall.memoryBytes);
  return {
    id,
    kind: 'refused',
    reason: `Node ${tooSmall.node} has ${has} GiB; ${asked} GiB of ${size} pages would leave less than a tenth of it.`,
  };
}

function hasSize(node: NumaNode, size: Size): boolean {
  return node.memoryBytes > 0 && node.hugepages.some((pages) => pages.pageBytes === SIZES[size]);
}

function chooseNodes(pool: PoolWanted, able: readonly NumaNode[], machine: PlacedMachine): readonly NumaNode[] {
  const { nodes } = pool;
  if (nodes === 'all') return able;
  if (nodes !== 'trading') return able.filter((node) => nodes.includes(node.node));
  const { isolated } = machine.layout;
  const trading = able.filter((node) => node.cpus.some((cpu) => isolated.includes(cpu)));
  return trading.length > 0 ? trading : able;
}

/** Pages of the n-th of some nodes; what does not divide goes to the first ones. */
function pagesOn(pool: PoolWanted, nodes: number, index: number): number {
  if (pool.pagesPerNode !== undefined) return pool.pagesPerNode;
  const pages = pool.pages as number;
  return Math.floor(pages / nodes) + (index < pages % nodes ? 1 : 0);
}

function nodeSettings({ size, perNode }: Spread): readonly Setting[] {
  return [...perNode].map(([node, pages]) => ({
    id: `memory.hugepages@node${node}/${size}`,
    stage: 'values',
    tunable: {
      kind: 'file',
      path: `/sys/devices/system/node/node${node}/${folder(size)}/nr_hugepages`,
      format: 'integer',
    },
    value: String(pages),
    why: 'Hugepages of the node the trading threads run on: fewer TLB misses, memory that is never swapped or moved.',
    ifRefused: 'fail',
    disruption: 'none',
  }));
}

function mountSetting(size: Size, mount: NonNullable<PoolWanted['mount']>): Setting {
  const mode = mount.mode?.replace(/^0+/, '');
  // The kernel prints owner and mode only where they differ from root and 755.
  const options = [
    ...(mount.gid === undefined || mount.gid === 0 ? [] : [`gid=${mount.gid}`]),
    ...(mode === undefined || mode === '755' ? [] : [`mode=${mode}`]),
    `pagesize=${size}`,
  ];
  return {
    id: `memory.mount@${mount.target}`,
    stage: 'values',
    tunable: { kind: 'mount', target: mount.target, source: 'hugetlbfs' },
    value: `hugetlbfs ${options.join(',')}`,
    why: `Programs take pages of ${size} from this mount; systemd mounts the default size only.`,
    ifRefused: 'fail',
    disruption: 'none',
  };
}

/**
 * The order matters: each `hugepages=` counts pages of the `hugepagesz=` before it.
 * https://docs.kernel.org/admin-guide/kernel-parameters.html
 */
function bootSetting(
  spreads: readonly Spread[],
  defaultSize: Size | undefined,
  machine: PlacedMachine,
): Setting | undefined {
  const first = spreads[0];
  if (first === undefined && defaultSize === undefined) return undefined;
  const parts = [
    ...(defaultSize === undefined ? [] : [`default_hugepagesz=${defaultSize}`]),
    ...spreads.map((spread) => `hugepagesz=${spread.size} hugepages=${printPages(spread, machine)}`),
  ];
  const tunable: BootArgTunable = { kind: 'boot-arg', names: ['default_hugepagesz', 'hugepagesz', 'hugepages'] };
  return {
    id: 'memory.hugepages@boot',
    stage: 'values',
    tunable: first === undefined ? tunable : { ...tunable, effect: totalEffect(first) },
    value: parts.join(' '),
    why: 'At boot memory is whole, so pages of this size can be had; later they often cannot.',
    ifRefused: 'fail',
    disruption: 'reboot',
  };
}

/** `0:64,1:32` counts per node since Linux 5.16 (commit b5389086ad7b); before, one number is spread over all nodes. */
function printPages({ perNode }: Spread, machine: PlacedMachine): string {
  const hasNodes = machine.topology.nodes.length > 1 && !isBefore(machine.kernel.version, [5, 16]);
  if (!hasNodes) return String(total(perNode));
  return [...perNode].map(([node, pages]) => `${node}:${pages}`).join(',');
}

function totalEffect({ size, perNode }: Spread): NonNullable<BootArgTunable['effect']> {
  return { path: `/sys/kernel/mm/${folder(size)}/nr_hugepages`, format: 'integer', value: String(total(perNode)) };
}

function total(perNode: ReadonlyMap<number, number>): number {
  return [...perNode.values()].reduce((sum, pages) => sum + pages, 0);
}

function folder(size: Size): string {
  return `hugepages/hugepages-${SIZES[size] / 1024}kB`;
}

function gib(bytes: number): string {
  return (bytes / 2 ** 30).toFixed(1).replace(/\.0$/, '');
}
