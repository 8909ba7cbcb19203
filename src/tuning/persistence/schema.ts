import { z } from 'zod';

export const persistence = z
  .strictObject({
    command: z.string().describe('The hft that the units start, as an absolute path.'),
  })
  .describe(
    'Puts the profile in force back after every boot, before hft-trading.target. Written by hft tune, not by hand.',
  );

export type Persistence = z.infer<typeof persistence>;
