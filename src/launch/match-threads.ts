import type { PlacedThread } from './placement.ts';
import { rankKey, type ThreadKey } from './thread-key.ts';

export interface Matched<Task> {
  readonly rule: PlacedThread;
  readonly task: Task;
  readonly cpus: readonly number[];
}

export interface Matching<Task> {
  readonly matched: readonly Matched<Task>[];
  /** Rules of which threads are missing, and how many there are. */
  readonly missing: readonly { readonly rule: PlacedThread; readonly found: number }[];
}

/**
 * Which thread is meant by which rule, in the same way as `hft-probe place-threads`: exact names, start order, patterns, all others; threads of a
 * name beyond its sets are others. `tasks` in the order of their start.
 */
export function matchThreads<Task extends { readonly name: string }>(
  rules: readonly PlacedThread[],
  tasks: readonly Task[],
): Matching<Task> {
  const ordered = [...rules].sort((left, right) => rankKey(left.key) - rankKey(right.key));
  const taken = new Set<Task>();
  const matched: Matched<Task>[] = [];
  const missing: { rule: PlacedThread; found: number }[] = [];
  for (const rule of ordered) {
    const isRest = rule.key.kind === 'rest';
    const isMeant = matcherOf(rule.key);
    const free = tasks.filter((task, index) => !taken.has(task) && isMeant(task.name, index));
    const chosen = isRest ? free : free.slice(0, rule.cpus.length);
    for (const [index, task] of chosen.entries()) {
      taken.add(task);
      matched.push({ rule, task, cpus: rule.cpus[isRest ? 0 : index] ?? [] });
    }
    if (!isRest && chosen.length < rule.cpus.length) missing.push({ rule, found: chosen.length });
  }
  return { matched, missing };
}

function matcherOf(key: ThreadKey): (name: string, index: number) => boolean {
  if (key.kind === 'rest') return () => true;
  if (key.kind === 'order') return (_, index) => key.index === index;
  const pattern = compilePattern(key.pattern);
  return (name) => pattern.test(name);
}

/** `*` stands for any text, `?` for one character; nothing else means anything. */
export function matchesPattern(pattern: string, name: string): boolean {
  return compilePattern(pattern).test(name);
}

function compilePattern(pattern: string): RegExp {
  const source = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '[^]*')
    .replaceAll('?', '[^]');
  return new RegExp(`^${source}$`, 'u');
}
