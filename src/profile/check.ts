import type { z } from 'zod';
import { findNearest } from './nearest.ts';
import type { Problem } from './problem.ts';
import { type JsonSchema, knownKeys } from './schema.ts';
import { findRemovals, findSourced, type Path, type Sourced, type SourcedMap } from './sourced.ts';
import { hintFor } from './yaml-traps.ts';

export type Issue = z.core.$ZodIssue;

/** What the schema finds wrong, in the words and at the places of the files. Pure. */
export function describeIssues(issues: readonly Issue[], tree: SourcedMap, schema: JsonSchema): Problem[] {
  return issues.flatMap((issue) => splitUnion(issue)).flatMap((issue) => describeIssue(issue, tree, schema));
}

/** `memroy: null` removes nothing and must not pass in silence. */
export function describeUnknownRemovals(tree: SourcedMap, schema: JsonSchema): Problem[] {
  return findRemovals(tree).flatMap((path) => {
    const key = path.at(-1) as string;
    const known = knownKeys(schema, path.slice(0, -1));
    return known === undefined || known.includes(key) ? [] : [describeUnknownKey(path, tree, known)];
  });
}

/**
 * A value that fits none of several shapes: when it is of one shape's kind (a map where a map or a word is allowed),
 * the mistakes within that shape say more than "fits none".
 */
function splitUnion(issue: Issue): Issue[] {
  if (issue.code !== 'invalid_union') return [issue];
  const near = issue.errors.filter((branch) => !branch.some((inner) => inner.path.length === 0 && isAboutKind(inner)));
  const [meant] = near;
  if (near.length !== 1 || meant === undefined) return [issue];
  return meant.flatMap((inner) => splitUnion({ ...inner, path: [...issue.path, ...inner.path] } as Issue));
}

function isAboutKind(issue: Issue): boolean {
  if (issue.code === 'invalid_union') {
    return issue.errors.every((branch) => branch.some((inner) => inner.path.length === 0 && isAboutKind(inner)));
  }
  return issue.code === 'invalid_type' || issue.code === 'invalid_value' || issue.code === 'invalid_format';
}

function describeIssue(issue: Issue, tree: SourcedMap, schema: JsonSchema): Problem[] {
  const path = issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step));
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(schema, path) ?? [];
    return issue.keys.map((key) => describeUnknownKey([...path, key], tree, known));
  }
  if (issue.code === 'invalid_key') {
    const { keyPlace } = findSourced(tree, path);
    return [{ place: keyPlace, message: `${path.join('.')}: ${issue.issues[0]?.message ?? issue.message}` }];
  }
  const found = findSourced(tree, path);
  const key = path.join('.');
  if (found.depth < path.length) {
    const missing = path.slice(found.depth).join('.');
    const parent = path.slice(0, found.depth).join('.');
    return [
      {
        place: found.keyPlace,
        message: `${parent}: ${missing} is missing`,
        hint: `Add ${missing}: ${sayExpected(issue).replace(/^expected /, '')}.`,
      },
    ];
  }
  const hint = hintFor(found.tree, issue, sayExpected(issue));
  const message = `${key}: ${sayExpected(issue)}${sayGot(issue, found.tree)}`;
  return [{ place: found.tree.place, message, ...(hint === undefined ? {} : { hint }) }];
}

function describeUnknownKey(path: Path, tree: SourcedMap, known: readonly string[]): Problem {
  const key = String(path.at(-1));
  const nearest = findNearest(key, known);
  const parent = path.length > 1 ? ` in ${path.slice(0, -1).join('.')}` : '';
  const list = known.length === 0 ? undefined : `Known keys${parent}: ${[...known].sort().join(', ')}.`;
  const hint = nearest === undefined ? list : `Did you mean ${nearest}?`;
  const { keyPlace } = findSourced(tree, path);
  return { place: keyPlace, message: `${path.join('.')}: unknown key`, ...(hint === undefined ? {} : { hint }) };
}

/** zod's sentences for its own checks, in the form of the messages of src/profile/values.ts: `expected …`. */
function sayExpected(issue: Issue): string {
  if (issue.message.startsWith('expected ')) return issue.message;
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${sayKind(issue.expected)}`;
    case 'invalid_value':
      return issue.message.startsWith('Invalid ')
        ? `expected ${issue.values.map(String).join(', ')}`.replace(/, ([^,]*)$/, ' or $1')
        : issue.message;
    case 'too_small':
      return issue.message.startsWith('Too small')
        ? `expected ${sayAmount(issue.origin)}at least ${issue.minimum}`
        : issue.message;
    case 'too_big':
      return issue.message.startsWith('Too big')
        ? `expected ${sayAmount(issue.origin)}at most ${issue.maximum}`
        : issue.message;
    case 'invalid_union':
      return issue.message.startsWith('Invalid input') ? sayAlternatives(issue.errors) : issue.message;
    default:
      return issue.message;
  }
}

function sayAlternatives(branches: readonly (readonly Issue[])[]): string {
  const kinds = branches.flatMap((branch) =>
    branch.slice(0, 1).map((issue) => sayExpected(issue).replace(/^expected /, '')),
  );
  return kinds.length === 0 ? 'is not what is expected here' : `expected ${[...new Set(kinds)].join(', or ')}`;
}

function sayAmount(origin: string): string {
  if (origin === 'array' || origin === 'set') return 'a list with ';
  return origin === 'string' ? 'text with ' : '';
}

function sayKind(expected: string): string {
  const names: Record<string, string> = {
    object: 'a map of keys and values',
    record: 'a map of keys and values',
    array: 'a list',
    tuple: 'a list',
    string: 'text',
    number: 'a number',
    int: 'a whole number',
    boolean: 'true or false',
  };
  return names[expected] ?? expected;
}

/** What is there, unless the message quotes it already. */
function sayGot(issue: Issue, tree: Sourced): string {
  const expected = sayExpected(issue);
  if (tree.kind === 'map') return ', got a map';
  if (tree.kind === 'list') return ', got a list';
  const text = tree.text.length > 40 ? `${tree.text.slice(0, 39)}…` : tree.text;
  return expected.includes(text) && issue.code === 'custom' ? '' : `, got ${text.replaceAll('\n', ' ')}`;
}
