import type { ExplainedNode, ExplainedPackage } from '../layout/explain.ts';
import type { Nic } from '../topology/machine.ts';
import { arrangeBoxes, type Box, stackBoxes } from './topology-svg-box.ts';
import { buildCaches } from './topology-svg-core.ts';
import { drawLine, drawRect, drawText, fitText, measureText } from './topology-svg-mark.ts';
import { buildNic, type NicContext } from './topology-svg-nic.ts';
import { printBytes } from './topology-text.ts';

const PADDING = 12;
const GAP = 12;
const WIRE_INDENT = 26;
/** More NICs than this on one node are virtual functions: the first are drawn, the others counted. */
const MOST_NICS = 4;

/** A package: its NUMA nodes with their cores, and below each node the NICs that hang on it. */
export function buildPackage(entry: ExplainedPackage, context: NicContext, width: number): Box {
  const inner = width - 2 * PADDING;
  const layouts = [1, 2]
    .filter((perRow) => perRow <= entry.nodes.length)
    .map((perRow) => arrangeNodes(entry.nodes, perRow, { context, width: inner }));
  const content = layouts.reduce((lowest, layout) => (layout.height < lowest.height ? layout : lowest));
  const title = entry.package === undefined ? 'CPUs of no known package' : `Package ${entry.package}`;
  return buildCard(title, content, width);
}

/** A titled card around a box. */
export function buildCard(title: string, content: Box, width: number): Box {
  return {
    width,
    height: content.height + 2 * PADDING + 24,
    draw({ x, y, height }) {
      const frame = drawRect('card', { x, y, width, height, radius: 12 });
      const heading = drawText(
        'title',
        { x: x + PADDING + 2, y: y + PADDING + 13 },
        fitText(title, width - 2 * PADDING, 14.5),
      );
      return frame + heading + content.draw({ x: x + PADDING, y: y + PADDING + 24, height: content.height });
    },
  };
}

function arrangeNodes(
  nodes: readonly ExplainedNode[],
  perRow: number,
  site: { readonly context: NicContext; readonly width: number },
): Box {
  const width = (site.width - GAP * (perRow - 1)) / perRow;
  const columns = nodes.map((node) => buildNodeWithNics(node, site.context, width));
  return arrangeBoxes(columns, perRow, GAP);
}

function buildNodeWithNics(node: ExplainedNode, context: NicContext, width: number): Box {
  const panel = buildNode(node, width);
  const nics = node.continued ? [] : findNics(node.nics, context);
  if (nics.length === 0) return panel;
  return stackBoxes([panel, hangNics(nics, context, width)], 0);
}

/** NICs on one trunk below their node, as ports on a bus. */
function hangNics(nics: readonly Nic[], context: NicContext, width: number): Box {
  const shown = nics.slice(0, MOST_NICS);
  const rest = nics.slice(MOST_NICS).map((nic) => nic.name);
  const boxes = shown.map((nic) => buildNic(nic, context, width - WIRE_INDENT));
  const note = rest.length === 0 ? [] : [buildNote(`and ${rest.length} more: ${rest.join(', ')}`, width - WIRE_INDENT)];
  const stack = stackBoxes([...boxes, ...note], 8);
  return {
    width,
    height: stack.height + 10,
    draw({ x, y }) {
      const trunk = x + WIRE_INDENT / 2;
      const tops = boxes.map(
        (_, index) => y + 10 + boxes.slice(0, index).reduce((sum, box) => sum + box.height + 8, 0),
      );
      const wires = tops.map((top, index) => {
        const kind = shown[index]?.name === context.trading ? 'wire trading' : 'wire';
        return drawLine(kind, [
          [trunk, y],
          [trunk, top + 17],
          [x + WIRE_INDENT, top + 17],
        ]);
      });
      // The trading NIC comes first and its wire is drawn last, so that no other covers it.
      return wires.reverse().join('') + stack.draw({ x: x + WIRE_INDENT, y: y + 10, height: stack.height });
    },
  };
}

/** A NUMA node: its memory, its caches with their cores. */
export function buildNode(node: ExplainedNode, width: number): Box {
  const inner = width - 2 * PADDING;
  const caches = node.caches.length === 0 ? [] : [buildCaches(node.caches, inner)];
  const content = stackBoxes([buildMemory(node, inner), ...caches], 8);
  return {
    width,
    height: content.height + 2 * PADDING,
    draw({ x, y, height }) {
      const frame = drawRect('panel', { x, y, width, height, radius: 9 });
      return frame + content.draw({ x: x + PADDING, y: y + PADDING, height: content.height });
    },
  };
}

/** Name and memory of a node, and how much of it is in hugepages. */
function buildMemory(node: ExplainedNode, width: number): Box {
  const name =
    node.node === undefined ? 'No NUMA node' : `NUMA node ${node.node}${node.continued ? ' (continued)' : ''}`;
  const pools = node.continued ? [] : node.hugepages.filter((pool) => pool.total > 0);
  const memory = nameMemory(node, width - measureText(name, 13) - 6);
  return {
    width,
    height: pools.length > 0 ? 42 : 18,
    draw({ x, y }) {
      const heading =
        drawText('strong', { x, y: y + 12 }, name) +
        drawText('muted', { x: x + width, y: y + 12, anchor: 'end' }, memory);
      return pools.length === 0 ? heading : heading + drawHugepages(node, { x, y: y + 20, width });
    },
  };
}

/** With the word where there is room, else the figure alone. */
function nameMemory(node: ExplainedNode, width: number): string {
  if (node.node === undefined || node.continued) return '';
  if (node.memoryBytes === 0) return fitText('no memory', width, 12);
  const figure = printBytes(node.memoryBytes);
  return measureText(`${figure} memory`, 12) <= width ? `${figure} memory` : fitText(figure, width, 12);
}

function drawHugepages(
  node: ExplainedNode,
  place: { readonly x: number; readonly y: number; readonly width: number },
): string {
  const pools = node.hugepages.filter((pool) => pool.total > 0);
  const held = pools.reduce((sum, pool) => sum + pool.total * pool.pageBytes, 0);
  const share = node.memoryBytes === 0 ? 0 : Math.min(1, held / node.memoryBytes);
  const label = `hugepages ${pools.map((pool) => `${pool.total} × ${printBytes(pool.pageBytes)}`).join(', ')}`;
  const { x, y, width } = place;
  return [
    drawRect('memory', { x, y, width, height: 5, radius: 2.5 }),
    drawRect('hugepages', { x, y, width: Math.max(5, width * share), height: 5, radius: 2.5 }),
    drawText('small', { x, y: y + 19 }, fitText(label, width, 11)),
  ].join('');
}

/** A line of plain text. */
export function buildNote(text: string, width: number): Box {
  return {
    width,
    height: 20,
    draw: ({ x, y }) => drawText('muted', { x: x + 2, y: y + 14 }, fitText(text, width - 4, 12)),
  };
}

export function findNics(names: readonly string[], context: NicContext): Nic[] {
  return names.flatMap((name) => context.machine.nics.filter((nic) => nic.name === name));
}
