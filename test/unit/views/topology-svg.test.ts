import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { layoutWanted } from '../../../src/layout/schema.ts';
import { solveLayout } from '../../../src/layout/solve.ts';
import type { Machine } from '../../../src/topology/machine.ts';
import { drawTopology } from '../../../src/views/topology-svg.ts';
import { escapeXml, fitText, measureText } from '../../../src/views/topology-svg-mark.ts';
import { buildMachine } from '../../machine-builder.ts';
import { addNodeWithoutCpus, buildFeatureless, buildHybrid, renumber, takeOffline } from '../layout/machine-shapes.ts';

const COLO = { irq: { cores: 1 }, isolated: { cores: 'most' } };

function draw(machine: Machine, wanted: object = COLO): string {
  return drawTopology(machine, solveLayout(layoutWanted.parse(wanted), machine));
}

interface Rect {
  readonly kind: string;
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

function readRects(svg: string): Rect[] {
  return [...svg.matchAll(/<rect class="([^"]*)" x="([^"]*)" y="([^"]*)" width="([^"]*)" height="([^"]*)"/g)].map(
    (match) => {
      const [x = 0, y = 0, width = 0, height = 0] = match.slice(2).map(Number);
      return { kind: match[1] ?? '', left: x, top: y, right: x + width, bottom: y + height };
    },
  );
}

/** The CPU numbers that stand in cells of this role. */
function readCpus(svg: string, role: string): number[] {
  const cells = svg.matchAll(new RegExp(`<rect class="cpu ${role}"[^>]*/><text[^>]*>(\\d+)</text>`, 'g'));
  return [...cells].map((match) => Number(match[1])).sort((left, right) => left - right);
}

/** Whether every tag is closed by its own name, and every & begins an entity. */
function isWellFormed(xml: string): boolean {
  const open: string[] = [];
  for (const [tag, slash, name] of xml.matchAll(/<(\/?)([a-z]+)(?:\s+[a-zA-Z:-]+="[^"<]*")*\s*\/?>/g)) {
    if (slash === '/') {
      if (open.pop() !== name) return false;
    } else if (!tag.endsWith('/>')) open.push(name ?? '');
  }
  const tags = [...xml.matchAll(/</g)].length;
  const parsed = [...xml.matchAll(/<\/?[a-z]+(?:\s+[a-zA-Z:-]+="[^"<]*")*\s*\/?>/g)].length;
  return open.length === 0 && tags === parsed && !/&(?!amp;|lt;|gt;|quot;)/.test(xml);
}

function isInside(inner: Rect, outer: Rect): boolean {
  return (
    inner.left >= outer.left && inner.top >= outer.top && inner.right <= outer.right && inner.bottom <= outer.bottom
  );
}

function overlap(one: Rect, other: Rect): boolean {
  return one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom;
}

function findOverlap(rects: readonly Rect[]): [Rect, Rect] | undefined {
  for (const [index, one] of rects.entries()) {
    const other = rects.slice(index + 1).find((candidate) => overlap(one, candidate));
    if (other !== undefined) return [one, other];
  }
  return undefined;
}

const manyNics = Array.from({ length: 12 }, (_, index) => ({ name: `eth${index}`, node: index % 3 === 0 ? -1 : 1 }));
const manyIrqs = Array.from({ length: 200 }, (_, index) => ({
  irq: 100 + index,
  device: 'eth1',
  effective: [index % 64],
}));
const machines: [string, Machine][] = [
  ['two CPUs', buildMachine({ packages: 1, coresPerPackage: 2, nics: [{ name: 'eth0' }] })],
  [
    'two sockets',
    buildMachine({ threads: 2, coresPerPackage: 16, l3PerPackage: 2, nics: [{ name: 'eth1', node: 1 }] }),
  ],
  [
    '256 CPUs on 8 nodes with 32 caches',
    buildMachine({ coresPerPackage: 64, threads: 2, l3PerPackage: 16, nodesPerPackage: 4 }),
  ],
  ['1024 CPUs on 8 sockets', buildMachine({ packages: 8, coresPerPackage: 64, threads: 2 })],
  ['eight threads per core', buildMachine({ coresPerPackage: 12, threads: 8 })],
  ['sparse, large CPU numbers', renumber(buildMachine({ coresPerPackage: 8 }), (cpu) => cpu * 511)],
  ['hybrid', buildHybrid(8, 16)],
  ['featureless', buildFeatureless(4)],
  [
    'offline CPUs and memory without CPUs',
    addNodeWithoutCpus(takeOffline(buildMachine({ threads: 2 }), [3, 11, 14]), 7, 30),
  ],
  ['many NICs and interrupts', buildMachine({ coresPerPackage: 32, nics: manyNics, irqs: manyIrqs })],
];

describe('drawTopology', () => {
  test.each(machines)('%s: a well-formed picture with every online CPU once, in its role', (_name, machine) => {
    const layout = solveLayout(layoutWanted.parse(COLO), machine);
    const svg = drawTopology(machine, layout);
    expect(isWellFormed(svg)).toBe(true);
    for (const role of ['housekeeping', 'irq', 'isolated'] as const) expect(readCpus(svg, role)).toEqual(layout[role]);
  });

  test.each(machines)('%s: nothing overlaps and nothing is cut off', (_name, machine) => {
    const rects = readRects(draw(machine));
    const paper = rects.find((rect) => rect.kind === 'paper') as Rect;
    expect(rects.filter((rect) => !isInside(rect, paper))).toEqual([]);
    for (const kind of [/^card$/, /^panel/, /^cache$/, /^core$/, /^cpu /, /^chip /, /^(chip|pill) /]) {
      expect(findOverlap(rects.filter((rect) => kind.test(rect.kind))), String(kind)).toBeUndefined();
    }
    const cores = rects.filter((rect) => rect.kind === 'core');
    const caches = rects.filter((rect) => rect.kind === 'cache');
    expect(cores.every((core) => caches.some((cache) => isInside(core, cache)))).toBe(true);
    const panels = rects.filter((rect) => rect.kind.startsWith('panel'));
    expect(caches.every((cache) => panels.some((panel) => isInside(cache, panel)))).toBe(true);
    const cards = rects.filter((rect) => rect.kind === 'card');
    expect(panels.every((panel) => cards.some((card) => isInside(panel, card)))).toBe(true);
  });

  test('siblings that go offline are drawn as offline', () => {
    const svg = draw(buildMachine({ packages: 1, threads: 2 }), {
      isolated: { cores: 'most' },
      smt: 'siblings-offline',
    });
    expect(readCpus(svg, 'offline')).toEqual([5, 6, 7]);
  });

  test('without a layout, what the kernel isolates is shown', () => {
    const svg = drawTopology(buildMachine({ kernel: { isolated: [2, 3] } }), undefined);
    expect(readCpus(svg, 'isolated')).toEqual([2, 3]);
    expect(readCpus(svg, 'online')).toEqual([0, 1, 4, 5, 6, 7]);
  });

  test('names, interrupts, memory and hugepages stand where they belong', () => {
    const base = buildMachine({
      nics: [{ name: 'ens1f0', node: 1, driver: 'mlx5_core', phc: 'ptp2', irqs: [40, 41, 42] }],
      irqs: [
        { irq: 40, device: 'mlx5_comp0', effective: [5] },
        { irq: 41, device: 'mlx5_comp1', effective: [5] },
        { irq: 42, device: 'mlx5_comp2', effective: [], affinity: [2] },
      ],
    });
    const nodes = base.topology.nodes.map((node) => ({
      ...node,
      hugepages: [{ pageBytes: 2097152, total: 512, free: 0 }],
    }));
    const svg = draw({ ...base, topology: { ...base.topology, nodes } });
    expect(svg).toContain('>ens1f0</text>');
    expect(svg).toContain('mlx5_core · 25 Gbit/s · ptp2');
    expect(svg).toMatch(/class="chip irq"[^>]*\/><text[^>]*>5 ×2</);
    expect(svg).toMatch(/class="chip isolated"[^>]*\/><text[^>]*>2</);
    expect(svg).toContain('hugepages 512 × 2 MiB');
    expect(svg).toContain('32 GiB memory');
    expect(svg).toContain('>trading NIC</text>');
  });

  test('stands alone: no scripts, no links, both colour schemes, words for those who do not see it', () => {
    const svg = draw(buildMachine());
    expect(svg).not.toMatch(/<script|href|url\(|@import|https?:(?!\/\/www\.w3\.org\/2000\/svg")/);
    expect(svg).toContain('@media (prefers-color-scheme: dark)');
    expect(svg).toMatch(
      /^<svg [^>]*role="img"[^>]*>\n<title>CPU topology of testbox<\/title>\n<desc>housekeeping: CPUs 0,4; isolated: CPUs 1-3,5-7<\/desc>/,
    );
  });

  test('whatever the machine calls its parts, the picture stays well-formed', () => {
    const names = fc.string({ minLength: 1, unit: 'binary' });
    fc.assert(
      fc.property(names, names, names, (host, nic, driver) => {
        const shape = { host, packages: 1, coresPerPackage: 2, nics: [{ name: nic, driver, uppers: [host] }] };
        const svg = draw(buildMachine(shape));
        return isWellFormed(svg) && !svg.includes('\u0000');
      }),
    );
  });

  test('the same machine gives the same picture', () => {
    expect(draw(buildMachine())).toBe(draw(buildMachine()));
  });
});

describe('text of the picture', () => {
  test('markup is escaped, characters that XML forbids are dropped', () => {
    expect(escapeXml('a<b>&"c"\u0000\u001b')).toBe('a&lt;b&gt;&amp;&quot;c&quot;');
  });

  test('shortened text fits and says that it was shortened', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.integer({ min: 20, max: 300 }), (text, width) => {
        const fitted = fitText(text, width, 12);
        return measureText(fitted, 12) <= width && (fitted === text || fitted.endsWith('…'));
      }),
    );
  });
});
