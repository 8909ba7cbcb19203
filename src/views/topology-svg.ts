import { type ExplainedRole, explainLayout, type LayoutExplanation, type RoleSummary } from '../layout/explain.ts';
import type { Layout } from '../layout/layout.ts';
import { printCpulist } from '../topology/cpulist.ts';
import type { Machine } from '../topology/machine.ts';
import { arrangeBoxes, type Box, stackBoxes } from './topology-svg-box.ts';
import { drawRect, drawText, escapeXml, fitText, measureText } from './topology-svg-mark.ts';
import { buildNic, type NicContext } from './topology-svg-nic.ts';
import { buildCard, buildNode, buildNote, buildPackage, findNics } from './topology-svg-node.ts';
import { drawStyle } from './topology-svg-style.ts';

const MARGIN = 20;
const GAP = 16;
/** As wide as a README's column, so that numbers are read at their own size. */
const WIDE = 880;
const NARROW = 520;

/** The threads of a deployment on the picture of a machine. */
export interface PlacedOnPicture {
  /** Who has a CPU alone: `market-data/md-rx`. */
  readonly occupants: ReadonlyMap<number, string>;
  /** Below the machine: one card for each. */
  readonly lists: readonly {
    readonly title: string;
    readonly rows: readonly (readonly [key: string, text: string])[];
  }[];
}

/**
 * The machine as one self-contained SVG: packages, NUMA nodes, L3 caches, cores and hardware threads coloured by role,
 * NICs with their interrupts on the node they hang on, memory and hugepages. Light and dark by the reader's preference.
 * Without a layout, CPUs that the running kernel isolates are shown as isolated.
 */
export function drawTopology(machine: Machine, layout: Layout | undefined, threads?: PlacedOnPicture): string {
  const explanation = explainLayout(layout, machine, threads?.occupants);
  const width = chooseWidth(explanation);
  const inner = width - 2 * MARGIN;
  const lists = threads?.lists.map(({ title, rows }) => buildList(title, rows, inner)) ?? [];
  const content = stackBoxes(
    [buildHeader(explanation, machine, inner), ...buildParts(explanation, machine, inner), ...lists],
    GAP,
  );
  const height = Math.ceil(content.height + 2 * MARGIN);
  const size = `width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" class="hft-topology" role="img" ${size}>`,
    `<title>${escapeXml(`CPU topology of ${machine.host}`)}</title>`,
    `<desc>${escapeXml(describe(explanation))}</desc>`,
    drawStyle(),
    drawRect('paper', { x: 0, y: 0, width, height, radius: 14 }),
    content.draw({ x: MARGIN, y: MARGIN, height: content.height }),
    '</svg>\n',
  ].join('\n');
}

/** A machine of few cores in one package needs no more than half the page. */
function chooseWidth(explanation: LayoutExplanation): number {
  const cores = explanation.packages.flatMap((entry) =>
    entry.nodes.flatMap((node) => node.caches.flatMap((cache) => cache.cores)),
  );
  return explanation.packages.length <= 1 && cores.length <= 10 ? NARROW : WIDE;
}

function buildParts(explanation: LayoutExplanation, machine: Machine, width: number): Box[] {
  const roleOf = new Map<number, ExplainedRole>(
    explanation.roles.flatMap(({ role, cpus }) => cpus.map((cpu) => [cpu, role])),
  );
  const context: NicContext = { machine, trading: explanation.nic, roleOf };
  const perRow = Math.min(2, Math.max(1, explanation.packages.length));
  const packageWidth = (width - GAP * (perRow - 1)) / perRow;
  const packages = arrangeBoxes(
    explanation.packages.map((entry) => buildPackage(entry, context, packageWidth)),
    perRow,
    GAP,
  );
  return [packages, ...buildRest(explanation, context, width)];
}

/** What belongs to no CPU: nodes of memory only, NICs of no known node, offline CPUs. */
function buildRest(explanation: LayoutExplanation, context: NicContext, width: number): Box[] {
  const cards: Box[] = [];
  const inner = width - 24;
  if (explanation.memoryNodes.length > 0) {
    const column = (inner - 12) / 2;
    cards.push(
      buildCard(
        'Memory without CPUs',
        arrangeBoxes(
          explanation.memoryNodes.map((node) => buildNode(node, column)),
          2,
          12,
        ),
        width,
      ),
    );
  }
  const loose = findNics(explanation.looseNics, context);
  if (loose.length > 0) {
    const perRow = width > 600 ? 2 : 1;
    const column = (inner - 12 * (perRow - 1)) / perRow;
    const shown = loose.slice(0, 8);
    const more = loose.length > shown.length ? [buildNote(`and ${loose.length - shown.length} more`, inner)] : [];
    const nics = arrangeBoxes(
      shown.map((nic) => buildNic(nic, context, column)),
      perRow,
      12,
    );
    cards.push(buildCard('NICs of no known NUMA node', stackBoxes([nics, ...more], 6), width));
  }
  if (explanation.offline.length > 0) {
    cards.push(buildCard('Offline CPUs', buildNote(printCpulist(explanation.offline), inner), width));
  }
  return cards;
}

const ROW_HEIGHT = 18;

/** A card of rows: a short key, and what there is to say of it. */
function buildList(title: string, rows: PlacedOnPicture['lists'][number]['rows'], width: number): Box {
  const inner = width - 24;
  const keyWidth = Math.min(inner / 2, Math.max(0, ...rows.map(([key]) => measureText(key, 12))) + 14);
  const content: Box = {
    width: inner,
    height: rows.length * ROW_HEIGHT,
    draw: ({ x, y }) =>
      rows
        .map(([key, text], index) => {
          const line = y + index * ROW_HEIGHT + 13;
          const head = drawText('strong', { x: x + 2, y: line }, fitText(key, keyWidth - 4, 12));
          return head + drawText('small', { x: x + keyWidth, y: line }, fitText(text, inner - keyWidth, 11));
        })
        .join(''),
  };
  return buildCard(title, content, width);
}

function buildHeader(explanation: LayoutExplanation, machine: Machine, width: number): Box {
  const perRow = width > 600 ? Math.max(2, explanation.roles.length) : 2;
  const column = (width - 12 * (perRow - 1)) / perRow;
  const legend = arrangeBoxes(
    explanation.roles.map((summary) => buildLegendEntry(summary, column)),
    perRow,
    12,
  );
  return {
    width,
    height: 56 + legend.height,
    draw({ x, y }) {
      return [
        drawText('host', { x, y: y + 20 }, fitText(explanation.host, width, 25)),
        drawText(
          'muted',
          { x, y: y + 40 },
          fitText(summarize(explanation, machine), width > 600 ? width - 200 : width, 12),
        ),
        ...(width > 600
          ? [drawText('small', { x: x + width, y: y + 40, anchor: 'end' }, 'a box is a core, a number is a CPU')]
          : []),
        legend.draw({ x, y: y + 56, height: legend.height }),
      ].join('');
    },
  };
}

function buildLegendEntry(summary: RoleSummary, width: number): Box {
  const inner = width - 38;
  return {
    width,
    height: 34,
    draw({ x, y }) {
      const count = `${summary.cpus.length} ${summary.cpus.length === 1 ? 'CPU' : 'CPUs'}`;
      return [
        drawRect(`swatch ${summary.role}`, { x: x + 0.5, y: y + 2.5, width: 16, height: 16, radius: 4 }),
        drawText('strong', { x: x + 26, y: y + 14 }, fitText(`${summary.role} · ${count}`, width - 26, 12.5)),
        drawText('small', { x: x + 26, y: y + 30 }, fitText(printCpulist(summary.cpus), inner, 11)),
      ].join('');
    },
  };
}

function summarize(explanation: LayoutExplanation, machine: Machine): string {
  const packages = explanation.packages.filter((entry) => entry.package !== undefined).length;
  const nodes = machine.topology.nodes.length;
  const cores = explanation.packages.reduce((sum, entry) => sum + countCores(entry), 0);
  const cpus = machine.topology.cpus.length;
  return [
    ...(packages > 0 ? [plural(packages, 'package')] : []),
    ...(nodes > 0 ? [plural(nodes, 'NUMA node')] : []),
    plural(cores, 'core'),
    plural(cpus, 'CPU'),
    ...(machine.kernel.release === 'unknown'
      ? []
      : [`Linux ${machine.kernel.release}${machine.kernel.realtime ? ' (realtime)' : ''}`]),
  ].join(' · ');
}

function countCores(entry: LayoutExplanation['packages'][number]): number {
  return entry.nodes.reduce(
    (sum, node) => sum + node.caches.reduce((cores, cache) => cores + cache.cores.length, 0),
    0,
  );
}

/** The picture in words. */
function describe(explanation: LayoutExplanation): string {
  const roles = explanation.roles.map(
    ({ role, cpus }) => `${role}: ${cpus.length === 1 ? 'CPU' : 'CPUs'} ${printCpulist(cpus)}`,
  );
  const nic = explanation.nic === undefined ? [] : [`trading NIC: ${explanation.nic}`];
  return [...roles, ...nic].join('; ');
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
