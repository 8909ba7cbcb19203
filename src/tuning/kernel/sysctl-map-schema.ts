import { z } from 'zod';
import { lookUpKnob } from '../knobs/catalogue.ts';

/** Writing these makes something happen; they hold no value that could be compared or put back. */
const ACTIONS: readonly string[] = ['vm.drop_caches', 'vm.compact_memory', 'vm.stat_refresh', 'kernel.sysrq-trigger'];

const value = z
  .union(
    [z.number().int(), z.string().min(1), z.array(z.number().int()).min(1)],
    'expected a whole number, a word, or a list of numbers',
  )
  .transform((written) => (Array.isArray(written) ? written.join(' ') : String(written).trim().replace(/\s+/g, ' ')));

/** `sysctl: {kernel.panic_on_oops: 1}`: any sysctl by its name, for which no other key exists. */
export const sysctlMap = z
  .record(z.string(), value)
  .superRefine((map, context) => {
    for (const [name, text] of Object.entries(map)) {
      const problem = findProblem(name, text);
      if (problem !== undefined) context.addIssue({ code: 'custom', path: [name], message: problem });
    }
  })
  .describe('Any sysctl by its name (kernel.panic_on_oops: 1), but for those that have a key of their own');

/** What is wrong with an entry whatever the host; undefined when nothing is. */
function findProblem(name: string, text: string): string | undefined {
  if (!/^[\w-]+(?:\.[\w/-]+)+$/.test(name)) return 'expected the name of a sysctl, such as kernel.panic_on_oops';
  if (ACTIONS.includes(name))
    return `${name} makes the kernel do something once; it is not a setting and cannot be undone`;
  const knob = lookUpKnob(name);
  if (knob?.key !== undefined) return `${name} has a key of its own: write ${knob.key}`;
  if (knob?.format === 'integer' && !/^[+-]?\d+$/.test(text)) return `${name} takes a whole number`;
  return undefined;
}
