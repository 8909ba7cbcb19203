import type { LatencyRow } from '../latency/report/row.ts';
import type { QuantileName } from '../latency/targets/target.ts';
import { printCpulist } from '../topology/cpulist.ts';
import { printLimit, printNs } from './duration.ts';
import { viewThen } from './latency-saved.ts';
import { sayPacing } from './pacing.ts';
import { paint, type Style, type Terminal } from './terminal.ts';

const NAMES: readonly QuantileName[] = ['p50', 'p99', 'p99.9', 'p99.99'];
const LABEL = 20;
const CELL = 9;
/** With its interval: `1.23us [1.20us to 1.31us]`. */
const WIDE_CELL = 29;
/** The least that holds intervals. */
const WIDE_COLUMNS = LABEL + 4 * WIDE_CELL + CELL + 14;
/** More rows of one measurement than this are shown by their worst. */
const ROWS_SHOWN = 4;

const VERDICT_STYLES: Readonly<Record<string, Style>> = { pass: 'green', fail: 'red', inconclusive: 'yellow' };

/** The measurements, each with its conditions, its CPUs and, dimmed, the limits. */
export function viewRows(rows: readonly LatencyRow[], terminal: Terminal): string {
  if (rows.length === 0) return '';
  const isWide = terminal.columns >= WIDE_COLUMNS;
  const width = isWide ? WIDE_CELL : CELL;
  const heads = NAMES.map((name) => cell(name.toUpperCase(), width));
  const head = `${' '.repeat(LABEL)}${heads.join('')}${'max'.padStart(CELL)}`;
  const groups = partsFirst(groupRows(rows)).map((group, index) => {
    const isFollowing = group.every(isBelow);
    const space = index === 0 ? '' : isFollowing ? '\n' : '\n\n';
    return space + (isFollowing ? viewSplit(group, { terminal, width }) : viewGroup(group, { terminal, width }));
  });
  return [paint(terminal, 'dim', head), groups.join('')].join('\n');
}

interface Shape {
  readonly terminal: Terminal;
  readonly width: number;
}

function groupRows(rows: readonly LatencyRow[]): LatencyRow[][] {
  const groups = new Map<string, LatencyRow[]>();
  for (const row of rows) {
    const key = [row.name, row.part, row.variant, row.rule, row.target?.name].join('|');
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return [...groups.values()];
}

/** Behind a round trip its parts, and behind these those of them that have limits of their own. */
function partsFirst(groups: readonly LatencyRow[][]): LatencyRow[][] {
  const variantOf = ([first]: readonly LatencyRow[]) => `${first?.name} ${first?.variant}`;
  const place = (group: readonly LatencyRow[]) => groups.findIndex((each) => variantOf(each) === variantOf(group));
  const rank = (group: readonly LatencyRow[]) => (group.every(isBelow) ? 1 : group.some(({ split }) => split) ? 2 : 0);
  return [...groups].sort((one, other) => place(one) - place(other) || rank(one) - rank(other));
}

/** Parts of the row above, unless they have limits of their own. */
function isBelow({ split, target }: LatencyRow): boolean {
  return split && target === null;
}

const SPLITS: Readonly<Record<string, string>> = {
  stamped: 'when stamped',
  send: 'to send',
  wire: 'kernel to kernel',
  'card-wire': 'card to card',
  peer: 'at the peer',
  receive: 'to receive',
  there: 'one way, there',
  back: 'one way, back',
};

/** `udp-wire` is the part `wire` of what went over UDP. */
function viewSplit(rows: readonly LatencyRow[], { terminal, width }: Shape): string {
  const lines = rows.map((row) => {
    const part = (row.part ?? '').replace(/^[a-z]+-/, '');
    const cells = NAMES.map((name) => cell(printValue(row.percentiles[name], row.floorNs), width));
    const max = cell(printValue(row.percentiles.max, row.floorNs), CELL);
    return paint(terminal, 'dim', `    ${(SPLITS[part] ?? part).padEnd(LABEL - 4)}${cells.join('')}${max}`);
  });
  return lines.join('\n');
}

function viewGroup(group: readonly LatencyRow[], shape: Shape): string {
  const { terminal } = shape;
  const [first] = group;
  if (first === undefined) return '';
  const shown = group.length > ROWS_SHOWN ? [worstOf(group)] : group;
  const name = first.synthetic ? `${first.name} ${first.part}` : first.name;
  const title = `${paint(terminal, 'bold', name)}  ${paint(terminal, 'dim', sayConditions(first, terminal.columns - name.length - 2))}`;
  const lines = shown.flatMap((row) => viewRow(row, shape, group.length > ROWS_SHOWN ? group.length : 1));
  return [title, ...lines, ...viewLimits(first, shape)].join('\n');
}

function viewRow(row: LatencyRow, { terminal, width }: Shape, outOf: number): string[] {
  const cpus = row.cpus.length === 2 ? row.cpus.join('→') : printCpulist(row.cpus);
  const label = outOf > 1 ? `CPU ${cpus}, of ${outOf}` : `CPU ${cpus}`;
  const cells = NAMES.map((name) => viewCell(row, name, { terminal, width }));
  const max = cell(printValue(row.percentiles.max, row.floorNs), CELL);
  const verdict = row.verdict ?? (row.notJudged === null ? '' : 'not judged');
  const style = VERDICT_STYLES[verdict] ?? 'dim';
  const line = `  ${label.padEnd(LABEL - 2)}${cells.join('')}${max}  ${paint(terminal, style, verdict)}`.trimEnd();
  const then = viewThen(row, {
    terminal,
    labelWidth: LABEL,
    names: NAMES,
    cell: (value, bounds) => cell(value, width, bounds),
    printValue: (ns) => printValue(ns, row.floorNs),
  });
  return [line, ...then, ...viewBeside(row, { terminal, width }), ...viewGaps(row, terminal)];
}

function viewCell(row: LatencyRow, name: QuantileName, { terminal, width }: Shape): string {
  const { lower, upper } = row.interval[name];
  const text = cell(printValue(row.percentiles[name], row.floorNs), width, sayBounds(lower, upper, row.floorNs));
  const style = VERDICT_STYLES[row.judgements[name]?.verdict ?? ''];
  return style === undefined ? text : paint(terminal, style, text);
}

function sayBounds(lower: number, upper: number | null, floorNs: number): string {
  if (upper === 0) return '';
  if (upper !== null) return `[${printValue(lower, floorNs)} to ${printValue(upper, floorNs)}]`;
  return lower === 0 ? '' : `[${printNs(lower)} to ?]`;
}

/** The closed loop, cyclictest's way of counting, or the work of a stage alone, of the same run. */
function viewBeside({ beside, floorNs, synthetic }: LatencyRow, { terminal, width }: Shape): string[] {
  if (beside === null) return [];
  const service = synthetic ? 'work alone' : 'as cyclictest';
  const label = beside.rule === 'service' ? service : 'closed loop';
  const cells = NAMES.map((name) => cell(printValue(beside.percentiles[name], floorNs), width));
  const line = `    ${label.padEnd(LABEL - 4)}${cells.join('')}${cell(printValue(beside.percentiles.max, floorNs), CELL)}`;
  return [paint(terminal, 'dim', line)];
}

function viewGaps({ gaps, samples, durationS }: LatencyRow, terminal: Terminal): string[] {
  if (gaps === null) return [];
  const { perSecond, stolenShare } = gaps;
  const rate = perSecond >= 10 ? perSecond.toFixed(0) : perSecond.toPrecision(2);
  const text = `    ${samples} gaps in ${durationS.toFixed(1)} s, ${rate} a second, ${(stolenShare * 100).toPrecision(2)} % of the time`;
  return [paint(terminal, 'dim', text)];
}

function viewLimits({ target }: LatencyRow, { terminal, width }: Shape): string[] {
  if (target === null) return [];
  const cells = NAMES.map((name) => {
    const limit = target[name];
    return cell(limit === undefined ? '' : printLimit(limit), width);
  });
  return [paint(terminal, 'dim', `    ${'at most'.padEnd(LABEL - 4)}${cells.join('')}`.trimEnd())];
}

/** A value, and beside it in the wide table its interval or nothing. */
function cell(value: string, width: number, bounds = ''): string {
  const right = width === CELL ? '' : ` ${bounds.padEnd(width - CELL - 1)}`;
  return `${value.padStart(CELL)}${right}`;
}

function printValue(ns: number | null, floorNs: number): string {
  if (ns === null) return 'n/a';
  return ns === 0 ? `<${printLimit(Math.ceil(floorNs))}` : printNs(ns);
}

/** `one way, load network, 64 B, every 100us, spin`, as much as fits. */
function sayConditions(row: LatencyRow, columns: number): string {
  const { part, direction, payloadBytes, pacing, wait, policy, variant, quantity, load } = row;
  const parts = [
    row.synthetic ? 'synthetic' : (part ?? ''),
    quantity === 'delay' ? 'delay of a random arrival' : '',
    direction === 'none' ? '' : direction.replace('-', ' '),
    load === 'none' ? '' : `load ${load}`,
    payloadBytes === null ? '' : `${payloadBytes} B`,
    sayPacing(pacing),
    wait,
    ...sayPeer(row),
    policy,
    /dma-latency \S+/.exec(variant)?.[0] ?? '',
    /(\S+) pages/.exec(variant)?.[0] ?? '',
    row.synthetic ? variant : '',
    row.rule === 'closed' ? 'closed loop' : '',
  ].filter((part) => part !== '');
  while (parts.join(', ').length > columns) parts.pop();
  return parts.join(', ');
}

/** `16 requests a write`, `redis 7.0.15 at unix:/run/redis.sock`. */
function sayPeer({ software, server, peer }: LatencyRow): string[] {
  if (peer) return [`to ${peer.address}, which ${peer.wait === 'spin' ? 'spins' : 'blocks'} on its CPU ${peer.cpu}`];
  if (software === null) return [];
  if (server === null) return [software];
  const { address, isOwn, pipeline } = server;
  const way = address.startsWith('unix:') ? 'unix socket' : 'TCP';
  return [
    pipeline > 1 ? `${pipeline} requests a write` : '',
    isOwn ? `own ${software}, ${way}` : `${software} at ${address}`,
  ];
}

const SEVERITY = ['fail', 'inconclusive', 'pass'];

/** The worst verdict, and of these the longest P99. */
function worstOf(group: readonly LatencyRow[]): LatencyRow {
  const rank = ({ verdict }: LatencyRow) => (verdict === null ? SEVERITY.length : SEVERITY.indexOf(verdict));
  const slow = ({ percentiles }: LatencyRow) => percentiles.p99 ?? percentiles.p50 ?? 0;
  const [worst] = [...group].sort((one, other) => rank(one) - rank(other) || slow(other) - slow(one));
  return worst as LatencyRow;
}
