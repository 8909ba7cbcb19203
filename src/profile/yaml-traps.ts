import type { z } from 'zod';
import type { Sourced } from './sourced.ts';

/**
 * What to write instead, where YAML or habit misleads: `off` is text in YAML 1.2, and so are `1_000` and `"12"`.
 * `expected` is the sentence that people get.
 */
export function hintFor(tree: Sourced, issue: z.core.$ZodIssue, expected: string): string | undefined {
  if (tree.kind !== 'scalar' || typeof tree.value !== 'string') return hintForOther(tree, issue);
  const word = tree.value.toLowerCase();
  if (/^(?:on|yes|y|enabled?|off|no|n|disabled?)$/.test(word)) return hintForSwitch(word, { issue, expected });
  const digits = word.replaceAll(/[_,']/g, '');
  if (/^-?\d[\d_,']*(?:\.\d+)?$/.test(word)) {
    if (digits !== word) return `Write ${digits}: YAML 1.2 knows no separators, so ${tree.text} is text.`;
    if (tree.text !== word && expectsNumber(expected)) return `Write ${word} without quotes: in quotes it is text.`;
  }
  if (expectsNumber(expected) && /^\d+\s*[a-zµ%]+$/.test(word))
    return 'This is a plain number: write it without a unit.';
  return undefined;
}

function hintForSwitch(
  word: string,
  { issue, expected }: { issue: z.core.$ZodIssue; expected: string },
): string | undefined {
  const wanted = /^(?:on|y|yes|enable)/.test(word);
  if (issue.code === 'invalid_type' && issue.expected === 'boolean') {
    return `Write ${wanted}: in YAML 1.2 the word ${word} is text, not a truth value.`;
  }
  if (/\bon or off\b/.test(expected)) return `Write ${wanted ? 'on' : 'off'}.`;
  return undefined;
}

function hintForOther(tree: Sourced, issue: z.core.$ZodIssue): string | undefined {
  if (tree.kind !== 'scalar') return undefined;
  if (typeof tree.value === 'number' && issue.code === 'invalid_type' && issue.expected === 'string')
    return `Put it in quotes: "${tree.text}".`;
  return undefined;
}

function expectsNumber(expected: string): boolean {
  return /\ba (?:whole )?number\b(?! of )/.test(expected) || /whole number (?:of at least|from)/.test(expected);
}
