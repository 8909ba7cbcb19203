import { z } from 'zod';
import { onOff } from '../../profile/values.ts';
import { nameOf } from './argument-name.ts';

const EXPECTED = 'expected a kernel argument such as panic=10, without blanks or quotes';

export const boot = z
  .strictObject({
    arguments: z
      .array(z.string(EXPECTED).regex(/^[A-Za-z0-9_][A-Za-z0-9_.,:@%+=/-]*$/, EXPECTED))
      .refine((given) => new Set(given.map(nameOf)).size === given.length, 'an argument is given twice')
      .default([])
      .describe(
        'Kernel arguments beyond those that other parts of the profile ask for: watchdogs, panic=, tsc=reliable.',
      ),
    trial: onOff()
      .default(true)
      .describe(
        'on: a changed command line is booted once from an entry of its own, and becomes the default only when the boot verifies.',
      ),
  })
  .describe('The kernel’s command line, and how a new one is tried.');

export type Boot = z.infer<typeof boot>;
