import type { FleetDiff } from '../cli/fleet-diff.ts';
import { countOdd, type FleetDifference, type Having } from '../fleet/difference.ts';
import { indented, paint, type Terminal, wrap } from './terminal.ts';

/** The stable JSON of `hft fleet diff`. */
export function fleetDiffJson({ hosts, features, differences, failed, exitCode }: FleetDiff) {
  return {
    hosts,
    compared: features,
    differences: differences.map(({ usual, ...rest }) => ({ ...rest, usual: usual ?? null })),
    odd: countOdd(differences),
    failed: failed.map(({ host, error }) => ({ host, error })),
    exitCode,
  };
}

/** Each thing that differs: who is the odd one out, and what the others have. */
export function viewFleetDiff({ hosts, features, differences, failed }: FleetDiff, terminal: Terminal): string {
  const blocks = differences.map((difference) => viewDifference(difference, terminal));
  const count = differences.length === 0 ? 'all are equal' : `${differences.length} differ`;
  const summary = [`${hosts.length} hosts, ${features} things compared: ${count}.`];
  const odd = countOdd(differences).slice(0, MOST_NAMED);
  if (odd.length > 0) {
    const named = odd.map(({ host, count: own }) => `${host} (${own})`).join(', ');
    summary.push(wrap(`Odd ones out: ${named}`, terminal.columns, 4));
  }
  if (failed.length > 0)
    summary.push(wrap(`Not compared: ${nameHosts(failed.map(({ host }) => host))}`, terminal.columns, 4));
  return [...blocks, summary.join('\n')].join('\n\n');
}

const MOST_NAMED = 8;
const LONGEST_VALUE = 200;

function viewDifference({ feature, usual, odd, unread }: FleetDifference, terminal: Terminal): string {
  const lines = odd.map((having) => `  ${paint(terminal, 'yellow', '!')} ${viewHaving(having, terminal)}`);
  if (usual !== undefined) lines.push(`    ${viewHaving(usual, terminal)}`);
  if (unread.length > 0)
    lines.push(paint(terminal, 'dim', indented(`could not be read: ${nameHosts(unread)}`, terminal, 4)));
  return [paint(terminal, 'bold', feature), ...lines].join('\n');
}

function viewHaving({ value, hosts }: Having, terminal: Terminal): string {
  return wrap(`${nameHosts(hosts)}: ${shorten(value)}`, terminal.columns - 4, 6);
}

function nameHosts(hosts: readonly string[]): string {
  const shown = hosts.slice(0, MOST_NAMED).join(', ');
  return hosts.length <= MOST_NAMED ? shown : `${shown} and ${hosts.length - MOST_NAMED} more`;
}

function shorten(value: string | null): string {
  if (value === null) return 'nothing';
  if (value.includes('\n')) return `a text of ${value.split('\n').length - 1} lines`;
  return value.length <= LONGEST_VALUE ? value : `${value.slice(0, LONGEST_VALUE)} …`;
}
