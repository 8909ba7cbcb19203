import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { compare } from '../../src/engine/compare.ts';
import { layoutWanted } from '../../src/layout/schema.ts';
import { solveLayout } from '../../src/layout/solve.ts';
import type { TuningDomain } from '../../src/tuning/domain.ts';
import { FakeHost } from '../fake-host.ts';
import { buildMachine, type MachineShape } from '../machine-builder.ts';

/** One case file: a machine, what the profile asks of one domain, and the plan that must come of it. */
export interface TuningCase {
  readonly machine?: MachineShape;
  readonly layout?: unknown;
  readonly wanted: unknown;
  /** Files of the machine by path. */
  readonly files?: Record<string, string | number>;
  /** Folders that are there and empty. */
  readonly folders?: readonly string[];
  /** Paths that exist and cannot be read, with the errno. */
  readonly unreadable?: Record<string, string>;
  readonly links?: Record<string, string>;
  /** What commands print, by their words joined with spaces. */
  readonly commands?: Record<string, string>;
  /** `id: current -> desired` (files: `a file of 3 lines`, nothing there: `nothing`), ` (reboot)` after what takes effect at boot. Every change, in order. */
  readonly plan?: readonly string[];
  /** Ids that are as wanted. Every one, when given. */
  readonly satisfied?: readonly string[];
  /** A part of the reason by id. Every refusal. */
  readonly refused?: Record<string, string>;
  /** Ids that could not be read. */
  readonly unread?: readonly string[];
}

/** What a case came to, in the form of its expectations. */
export interface CaseResult {
  readonly plan: string[];
  readonly satisfied: string[];
  readonly refused: Record<string, string>;
  readonly unread: string[];
}

export function readCase(file: string): TuningCase {
  return parse(readFileSync(file, 'utf8')) as TuningCase;
}

export async function runCase(domain: TuningDomain, given: TuningCase): Promise<CaseResult> {
  const host = makeHost(given);
  const facts = buildMachine(given.machine);
  const machine = {
    ...facts,
    layout: solveLayout(layoutWanted.parse(given.layout ?? { isolated: { cores: 'most' } }), facts),
  };
  const wanted = (await domain.schema()).parse(given.wanted);
  const desired = domain.desire(wanted, await domain.observe(host, facts, wanted), machine);
  const result: CaseResult = { plan: [], satisfied: [], refused: {}, unread: [] };
  for (const { id, reason } of desired.refused) result.refused[id] = reason;
  for (const setting of desired.settings) {
    const comparison = await compare(host, { domain: domain.name, setting });
    if (comparison.is === 'satisfied')
      result.satisfied.push(`${setting.id}${comparison.pendingReboot ? ' (reboot)' : ''}`);
    if (comparison.is === 'refused') result.refused[comparison.id] = comparison.reason;
    if (comparison.is === 'unread') result.unread.push(setting.id);
    if (comparison.is === 'change') {
      const reboot = comparison.takesEffect === 'reboot' ? ' (reboot)' : '';
      result.plan.push(`${setting.id}: ${show(comparison.current)} -> ${show(comparison.desired)}${reboot}`);
    }
  }
  return result;
}

/** Whole files are told by their number of lines. */
function show(value: string | null): string {
  if (value === null) return 'nothing';
  return value.includes('\n') ? `a file of ${value.split('\n').length - 1} lines` : value;
}

function makeHost({ files = {}, folders = [], unreadable = {}, links = {}, commands = {} }: TuningCase): FakeHost {
  const texts = Object.entries(files).map(([path, text]) => [
    path,
    typeof text === 'number' || !text.endsWith('\n') ? `${text}\n` : text,
  ]);
  const host = new FakeHost(Object.fromEntries(texts), commands);
  for (const folder of folders) host.folders.add(folder);
  for (const [path, target] of Object.entries(links)) host.links.set(path, target);
  for (const [path, code] of Object.entries(unreadable)) {
    host.unreadable.set(path, code);
    host.files.set(path, '');
  }
  return host;
}
