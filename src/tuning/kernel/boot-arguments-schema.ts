import { z } from 'zod';
import { findNearest } from '../../profile/nearest.ts';
import { knownArguments } from './boot-arguments.ts';

/** Arguments that another part of the profile composes. */
const OWNERS: Readonly<Record<string, string>> = {
  isolcpus: 'isolation',
  nohz: 'isolation',
  nohz_full: 'isolation',
  rcu_nocbs: 'isolation',
  irqaffinity: 'irq or isolation',
  hugepages: 'memory.hugepages',
  hugepagesz: 'memory.hugepages',
  default_hugepagesz: 'memory.hugepages',
};

const expectedValue = 'expected on, off, or the value of the argument without spaces';
const value = z
  .union([z.enum(['on', 'off']), z.boolean(), z.number(), z.string().regex(/^\S+$/, expectedValue)], expectedValue)
  .transform((written) => (typeof written === 'boolean' ? (written ? 'on' : 'off') : String(written)));

/** `boot: {skew_tick: 1, nosoftlockup: on}`. on: the bare word; off: must not be given; else name=value. */
export const bootArguments = z
  .record(z.string(), value)
  .superRefine((map, context) => {
    for (const name of Object.keys(map)) {
      const problem = findProblem(name);
      if (problem !== undefined) context.addIssue({ code: 'custom', path: [name], message: problem });
    }
  })
  .describe('Kernel arguments: `name: value`, `name: on` for a bare word, `name: off` for one that must not be given');

function findProblem(name: string): string | undefined {
  if (knownArguments.some((argument) => argument.name === name)) return undefined;
  const owner = OWNERS[name];
  if (owner !== undefined) return `${name} is composed from ${owner}; say there what you want`;
  const names = knownArguments.map((argument) => argument.name);
  const near = findNearest(name, names);
  return near === undefined
    ? `hft does not know the argument ${name} (known: ${names.join(', ')})`
    : `unknown argument; did you mean ${near}?`;
}
