import type { ExplainedCache, ExplainedCore } from '../layout/explain.ts';
import { nameCpus } from '../layout/names.ts';
import { arrangeBoxes, type Box, stackBoxes } from './topology-svg-box.ts';
import { drawGroup, drawRect, drawText, fitText } from './topology-svg-mark.ts';
import { printBytes } from './topology-text.ts';

const CELL_HEIGHT = 20;
const CELL_GAP = 2;
const CORE_PADDING = 3;
const CORE_GAP = 5;
const CACHE_PADDING = 8;
const CACHE_GAP = 8;
const CAPTION_HEIGHT = 18;
const WIDEST_CELL = 80;

/** The caches of one node, each with its cores, in a block that fills the width and is as low as it can be. */
export function buildCaches(caches: readonly ExplainedCache[], width: number): Box {
  const shape = {
    cores: Math.max(...caches.flatMap((cache) => splitKinds(cache).map((cores) => cores.length))),
    narrowest: narrowestCell(caches),
    threads: mostThreads(caches),
  };
  const plans = caches.map((_, index) => planRow(index + 1, width, { ...shape, caches: caches.length }));
  const best = plans.reduce((lowest, plan) => (plan.height < lowest.height ? plan : lowest));
  const boxes = caches.map((cache) => buildCache(cache, best, shape.threads));
  return arrangeBoxes(boxes, best.perRow, CACHE_GAP);
}

interface RowPlan {
  readonly perRow: number;
  readonly cacheWidth: number;
  readonly columns: number;
  readonly cellWidth: number;
  readonly height: number;
}

/** What comes out when so many caches stand side by side. */
function planRow(
  perRow: number,
  width: number,
  shape: { readonly cores: number; readonly narrowest: number; readonly threads: number; readonly caches: number },
): RowPlan {
  const cacheWidth = (width - CACHE_GAP * (perRow - 1)) / perRow;
  const inner = cacheWidth - 2 * CACHE_PADDING + CORE_GAP;
  const across = threadColumns(shape.threads);
  const coreExtra = 2 * CORE_PADDING + CORE_GAP + (across - 1) * CELL_GAP;
  const fitting = Math.floor(inner / (across * shape.narrowest + coreExtra));
  if (fitting < 1)
    return {
      perRow,
      cacheWidth,
      columns: 1,
      cellWidth: shape.narrowest,
      height: perRow === 1 ? 1e9 : Number.POSITIVE_INFINITY,
    };
  const rows = Math.ceil(shape.cores / fitting);
  const columns = Math.ceil(shape.cores / rows);
  const cellWidth = Math.min(WIDEST_CELL, (inner / columns - coreExtra) / across);
  const cacheHeight = CAPTION_HEIGHT + 2 * CACHE_PADDING + rows * (coreHeight(shape.threads) + CORE_GAP);
  return { perRow, cacheWidth, columns, cellWidth, height: Math.ceil(shape.caches / perRow) * cacheHeight };
}

function buildCache(cache: ExplainedCache, plan: RowPlan, threads: number): Box {
  const grids = splitKinds(cache);
  const hybrid = cache.cores.some((core) => core.efficiency);
  const captions = grids.map((cores) => (hybrid ? `${cores[0]?.efficiency ? 'efficiency' : 'performance'} cores` : ''));
  const size = cache.bytes === undefined ? '' : ` · ${printBytes(cache.bytes)}`;
  const title = cache.l3 === undefined ? '' : `L3 ${cache.l3}${size}`;
  const parts = grids.map((cores, index) => {
    const caption = [index === 0 ? title : '', captions[index] ?? ''].filter((part) => part !== '').join(' · ');
    const grid = arrangeBoxes(
      cores.map((core) => buildCore(core, plan.cellWidth, threads)),
      plan.columns,
      CORE_GAP,
    );
    return caption === '' ? grid : stackBoxes([buildCaption(caption, plan.cacheWidth - 2 * CACHE_PADDING), grid], 0);
  });
  const content = stackBoxes(parts, 8);
  return {
    width: plan.cacheWidth,
    height: content.height + 2 * CACHE_PADDING,
    draw({ x, y, height }) {
      const frame = drawRect('cache', { x, y, width: plan.cacheWidth, height, radius: 7 });
      return frame + content.draw({ x: x + CACHE_PADDING, y: y + CACHE_PADDING, height: content.height });
    },
  };
}

/** Performance cores, then efficiency cores. */
function splitKinds(cache: ExplainedCache): ExplainedCore[][] {
  const kinds = [cache.cores.filter((core) => !core.efficiency), cache.cores.filter((core) => core.efficiency)];
  return kinds.filter((cores) => cores.length > 0);
}

function buildCaption(text: string, width: number): Box {
  return {
    width,
    height: CAPTION_HEIGHT,
    draw: ({ x, y }) => drawText('small', { x, y: y + 10 }, fitText(text, width, 11)),
  };
}

/** Cores in which fewer threads are left stand as high as the others: the gap shows what SMT siblings are missing. */
function buildCore(core: ExplainedCore, cellWidth: number, threads: number): Box {
  const across = threadColumns(threads);
  const width = across * cellWidth + (across - 1) * CELL_GAP + 2 * CORE_PADDING;
  const height = core.efficiency ? coreHeight(core.threads.length) : coreHeight(threads);
  const cpus = core.threads.map((thread) => thread.cpu);
  const why = core.why === '' ? '' : `. ${core.why}`;
  const who = core.threads.flatMap(({ cpu, occupant }) => (occupant === undefined ? [] : [`CPU ${cpu}: ${occupant}`]));
  const label = [`${nameCpus(cpus)}: ${core.role}${why}`, ...who].join('. ');
  return {
    width,
    height,
    draw({ x, y }) {
      const cells = core.threads.map(({ cpu, role, occupant }, index) => {
        const left = x + CORE_PADDING + (index % across) * (cellWidth + CELL_GAP);
        const top = y + CORE_PADDING + Math.floor(index / across) * (CELL_HEIGHT + CELL_GAP);
        const frame = { x: left, y: top, width: cellWidth, height: CELL_HEIGHT, radius: 3 };
        const middle = { x: left + cellWidth / 2, y: top + 14, anchor: 'middle' as const };
        const taken = occupant === undefined ? '' : ' taken';
        const text = occupant === undefined ? String(cpu) : nameOccupied(cpu, occupant, cellWidth);
        return drawRect(`cpu ${role}${taken}`, frame) + drawText(`number on-${role}`, middle, text);
      });
      return drawGroup(label, [drawRect('core', { x, y, width, height, radius: 5 }), ...cells]);
    },
  };
}

/** `4 md-rx` where there is room for some of the name, else the number: the tooltip and the list have the whole. */
function nameOccupied(cpu: number, occupant: string, cellWidth: number): string {
  const thread = occupant.slice(occupant.indexOf('/') + 1);
  const text = fitText(`${cpu} ${thread}`, cellWidth - 4, 11.5);
  return text.length > String(cpu).length + 3 ? text : String(cpu);
}

function threadColumns(threads: number): number {
  return threads <= 2 ? 1 : 2;
}

function coreHeight(threads: number): number {
  const rows = Math.ceil(threads / threadColumns(threads));
  return rows * CELL_HEIGHT + (rows - 1) * CELL_GAP + 2 * CORE_PADDING;
}

function narrowestCell(caches: readonly ExplainedCache[]): number {
  const largest = Math.max(
    ...caches.flatMap((cache) => cache.cores.flatMap((core) => core.threads.map((thread) => thread.cpu))),
  );
  return largest < 100 ? 24 : largest < 1000 ? 28 : 36;
}

function mostThreads(caches: readonly ExplainedCache[]): number {
  return Math.max(...caches.flatMap((cache) => cache.cores.map((core) => core.threads.length)));
}
