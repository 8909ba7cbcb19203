import type {
  ExplainedCache,
  ExplainedCore,
  ExplainedNode,
  ExplainedPackage,
  LayoutExplanation,
} from '../layout/explain.ts';
import { printCpulist } from '../topology/cpulist.ts';

const WIDTH = 80;
const CPUS_WIDTH = 22;
const ROLE_WIDTH = 12;

/**
 * The layout as text of at most 80 columns: the roles, then a table per package, node and L3 cache with the CPUs, their
 * role and why, then what was refused. Cores of one role and reason share a row, so 256 CPUs take a page, not a roll.
 */
export function renderLayout(explanation: LayoutExplanation): string {
  const sections = [
    renderSummary(explanation),
    ...explanation.packages.flatMap((entry) => entry.nodes.map((node) => renderNode(entry, node))),
    ...explanation.memoryNodes.map((node) => [`${nameNode(node)}: no CPUs${describeNode(node)}`]),
    ...(explanation.looseNics.length > 0
      ? [wrap(`NICs of no known node: ${explanation.looseNics.join(', ')}`, WIDTH)]
      : []),
    ...(explanation.offline.length > 0 ? [wrap(`Offline CPUs: ${printCpulist(explanation.offline)}`, WIDTH)] : []),
    ...(explanation.refused.length > 0 ? [renderRefused(explanation.refused)] : []),
  ];
  return `${sections.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

function renderSummary(explanation: LayoutExplanation): string[] {
  const rows = explanation.roles.map(({ role, cpus, cores }) => {
    const count = cores > 0 ? `${cores} ${cores === 1 ? 'core' : 'cores'}` : '';
    return columns([role.padEnd(ROLE_WIDTH), count.padEnd(10), wrap(printCpulist(cpus), WIDTH - ROLE_WIDTH - 16)]);
  });
  const nic = `${explanation.nic ?? 'none'}${explanation.nicWhy === undefined ? '' : `: ${explanation.nicWhy}`}`;
  const nicRow =
    explanation.nicWhy === undefined
      ? []
      : columns(['trading NIC'.padEnd(ROLE_WIDTH), wrap(nic, WIDTH - ROLE_WIDTH - 4)]);
  return [explanation.host, ...rows.flat(), ...nicRow];
}

function renderNode(entry: ExplainedPackage, node: ExplainedNode): string[] {
  const place = entry.package === undefined ? [] : [`Package ${entry.package}`];
  const title = [...place, nameNode(node)].join(', ');
  const rows = mergeCaches(node.caches).flatMap((caches) => renderCaches(caches));
  return [...wrap(`${title}${describeNode(node)}`, WIDTH), ...rows];
}

function nameNode(node: ExplainedNode): string {
  if (node.node === undefined) return 'no NUMA node';
  return `NUMA node ${node.node}${node.continued ? ' (continued)' : ''}`;
}

function describeNode(node: ExplainedNode): string {
  if (node.continued || node.node === undefined) return '';
  const pages = node.hugepages
    .filter((pool) => pool.total > 0)
    .map((pool) => `${pool.total} x ${printBytes(pool.pageBytes)} hugepages`);
  const memory = node.memoryBytes === 0 ? 'no memory' : printBytes(node.memoryBytes);
  return `, ${[memory, ...pages, ...node.nics].join(', ')}`;
}

/** Neighbouring caches whose cores have the same roles for the same reasons share a table. */
function mergeCaches(caches: readonly ExplainedCache[]): ExplainedCache[][] {
  const merged: ExplainedCache[][] = [];
  for (const cache of caches) {
    const previous = merged.at(-1);
    if (previous?.[0] && describeCache(previous[0]) === describeCache(cache)) previous.push(cache);
    else merged.push([cache]);
  }
  return merged;
}

function describeCache(cache: ExplainedCache): string {
  const groups = groupCores(cache.cores).map((group) => `${group.role}: ${group.why}`);
  return [cache.l3 === undefined, cache.bytes, ...groups].join('\n');
}

function renderCaches(caches: readonly ExplainedCache[]): string[] {
  const numbers = caches.flatMap((cache) => cache.l3 ?? []);
  const bytes = caches[0]?.bytes;
  const size = bytes === undefined ? '' : `, ${printBytes(bytes)}${numbers.length > 1 ? ' each' : ''}`;
  const title = numbers.length === 0 ? [] : [`  L3 ${printCpulist(numbers)}${size}`];
  const indent = numbers.length === 0 ? '  ' : '    ';
  const rows = groupCores(caches.flatMap((cache) => cache.cores)).map((group) => {
    const cpus = wrap(printCpulist(group.cpus), CPUS_WIDTH);
    const why = wrap(group.why, WIDTH - indent.length - CPUS_WIDTH - ROLE_WIDTH - 4);
    return columns([cpus, group.role.padEnd(ROLE_WIDTH), why], indent);
  });
  return [...title, ...rows.flat()];
}

/** One row for the cores of a cache that have the same role and reason; siblings that go offline get their own. */
function groupCores(cores: readonly ExplainedCore[]): { cpus: number[]; role: string; why: string }[] {
  const groups = new Map<string, { cpus: number[]; role: string; why: string }>();
  for (const core of cores) {
    for (const { cpu, role } of core.threads) {
      const why = role === core.role ? core.why : 'hardware thread of an isolated core';
      const group = groups.get(`${role}\n${why}`) ?? { cpus: [], role, why };
      group.cpus.push(cpu);
      groups.set(`${role}\n${why}`, group);
    }
  }
  return [...groups.values()];
}

function renderRefused(refused: LayoutExplanation['refused']): string[] {
  return [
    'Refused',
    ...refused.flatMap(({ id, reason }) => [`  ${id}`, ...wrap(reason, WIDTH - 4).map((line) => `    ${line}`)]),
  ];
}

/** Cells side by side, two spaces between; the last line of a shorter cell is followed by blanks. */
function columns(cells: readonly (string | readonly string[])[], indent = '  '): string[] {
  const lists = cells.map((cell) => (typeof cell === 'string' ? [cell] : cell));
  const widths = lists.map((lines, index) =>
    Math.max(index === 0 && lists.length === 3 ? minimumFirst(cells) : 0, ...lines.map((line) => line.length)),
  );
  const height = Math.max(...lists.map((lines) => lines.length));
  return Array.from({ length: height }, (_, row) => {
    const cellsOfRow = lists.map((lines, index) => (lines[row] ?? '').padEnd(widths[index] ?? 0));
    return `${indent}${cellsOfRow.join('  ')}`.trimEnd();
  });
}

function minimumFirst(cells: readonly (string | readonly string[])[]): number {
  return typeof cells[0] === 'string' ? cells[0].length : CPUS_WIDTH;
}

/** Breaks at spaces, and after commas where a word is too long for a line. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const piece of text.split(/(?<= )|(?<=,)/)) {
    if (line !== '' && (line + piece).trimEnd().length > width) {
      lines.push(line.trimEnd());
      line = '';
    }
    line += piece;
  }
  lines.push(line.trimEnd());
  return lines;
}

/** `32 GiB`, `1.5 MiB`: binary units, at most one decimal. */
export function printBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${Math.round(value * 10) / 10} ${units[unit]}`;
}
