import { UsageError } from '../../errors.ts';
import { BadPattern, compilePattern } from './glob.ts';
import { parseHostName } from './host-name.ts';
import type { Inventory } from './inventory.ts';

/**
 * The hosts of an inventory that a pattern such as `web*:&tokyo:!web3` leaves, in the order of the inventory, as `ansible --limit` does. What
 * matches nothing is a mistake here, in an exclusion most of all. Throws UsageError.
 */
export function limitHosts(inventory: Inventory, limit: string | undefined): readonly string[] {
  const all = inventory.hostsOf('all');
  if (limit === undefined) return all;
  const chosen = evaluate(inventory, splitPatterns(limit));
  const left = all.filter((host) => chosen.has(host));
  if (left.length > 0) return left;
  throw new UsageError(`--limit ${limit}: leaves none of the ${all.length} hosts.`, {
    next: ['`&` keeps those that are in both, `!` takes hosts out.'],
  });
}

/** Commas part patterns; colons do where what they part is not the name of a host with a port, a range or an IPv6 address. */
export function splitPatterns(text: string): readonly string[] {
  const parts = text.includes(',')
    ? text.split(',')
    : parseHostName(text) !== undefined
      ? [text]
      : (text.match(/(?:[^\s:[\]]|\[[^\]]*\])+/g) ?? []);
  return parts.map((part) => part.trim()).filter((part) => part !== '');
}

/** First what is named, then what it must be in too, then what is taken out, in whatever order they are written. */
function evaluate(inventory: Inventory, patterns: readonly string[]): ReadonlySet<string> {
  const of = (sign: string) => patterns.filter((pattern) => pattern.startsWith(sign));
  const named = patterns.filter((pattern) => !/^[!&]/.test(pattern));
  const matched = (pattern: string) => new Set(match(inventory, pattern));
  const isHost = (pattern: string) => inventory.hosts.has(pattern);
  const first = named.length === 0 ? ['all'] : named;
  let chosen = new Set(first.flatMap((pattern) => (isHost(pattern) ? [pattern] : match(inventory, pattern))));
  for (const pattern of of('&')) chosen = keep(chosen, matched(pattern.slice(1)), true);
  for (const pattern of of('!')) chosen = keep(chosen, matched(pattern.slice(1)), false);
  return chosen;
}

/** Those that are among others, or those that are not. */
function keep(hosts: ReadonlySet<string>, others: ReadonlySet<string>, isAmong: boolean): Set<string> {
  return new Set([...hosts].filter((host) => others.has(host) === isAmong));
}

/** A name or pattern of groups or hosts, with `[0]`, `[-1]`, `[0:2]` or `[1:]` behind it. */
function match(inventory: Inventory, pattern: string): readonly string[] {
  const { expression, subscript } = splitSubscript(pattern);
  const found = findMatches(inventory, expression);
  const hosts = subscript === undefined ? found : applySubscript(found, subscript);
  if (hosts !== undefined) return hosts;
  throw new UsageError(`--limit: ${pattern}: there are ${found.length} of ${expression}.`, {
    next: ['They count from 0; [-1] is the last one, and [0:2] are three.'],
  });
}

type Subscript = { readonly at: number } | { readonly first: number; readonly last: number };

function splitSubscript(pattern: string): { readonly expression: string; readonly subscript: Subscript | undefined } {
  const groups = pattern.startsWith('~')
    ? undefined
    : /^(?<expression>.+)\[(?:(?<at>-?[0-9]+)|(?<first>[0-9]+)[:-](?<last>[0-9]*))\]$/s.exec(pattern)?.groups;
  if (groups === undefined) return { expression: pattern, subscript: undefined };
  const { expression = '', at, first, last } = groups;
  if (at !== undefined) return { expression, subscript: { at: Number(at) } };
  return { expression, subscript: { first: Number(first), last: last ? Number(last) : Number.POSITIVE_INFINITY } };
}

/** Both ends are in it. `[2:0]` is the third one alone: that is how Ansible reads it. undefined: there is no such one. */
function applySubscript(hosts: readonly string[], subscript: Subscript): readonly string[] | undefined {
  if ('first' in subscript && subscript.last !== 0) return hosts.slice(subscript.first, subscript.last + 1);
  const host = hosts.at('first' in subscript ? subscript.first : subscript.at);
  return host === undefined ? undefined : [host];
}

/** Groups of that name with their hosts; hosts too where it is a pattern, or where there is no such group. */
function findMatches(inventory: Inventory, expression: string): readonly string[] {
  const { groups, hosts } = inventory;
  const matches = compile(expression);
  const matchingGroups = [...groups.keys()].filter((name) => matches.test(name));
  const found = new Set(matchingGroups.flatMap((name) => inventory.hostsOf(name)));
  if (matchingGroups.length === 0 || /^~|[.?*[]/.test(expression))
    for (const name of hosts.keys()) if (matches.test(name)) found.add(name);
  if (found.size > 0 || matchingGroups.length > 0) return [...found];
  throw new UsageError(`--limit: there is no host and no group ${expression}.`, {
    next: [`Groups: ${[...groups.keys()].slice(0, MOST_SHOWN).join(', ')}.`],
  });
}

const MOST_SHOWN = 20;

function compile(expression: string): RegExp {
  try {
    return compilePattern(expression);
  } catch (error) {
    if (!(error instanceof BadPattern)) throw error;
    throw new UsageError(`--limit: ${error.message}.`, {
      next: ['`*`, `?` and [abc] match names; `~` begins a regular expression.'],
    });
  }
}
