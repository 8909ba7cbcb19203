import { z } from 'zod';
import { count, size } from '../../profile/values.ts';

/** What one process may take, by the names of limits.conf(5). */
export const limits = z.strictObject({
  rtprio: count({ max: 99 }).optional().describe('The highest realtime priority; 99 is the kernel’s own and not given'),
  memlock: z
    .union([z.literal('unlimited'), size()], 'expected unlimited, or a size such as 64G')
    .optional()
    .describe('Memory that may be locked; mlockall of a trading process needs unlimited'),
  nofile: count({ min: 1 }).optional().describe('Open files and sockets; at most fs.nr_open'),
  nice: count({ min: -20, max: 19 }).optional().describe('The lowest nice value'),
});

const name = /^[a-z_][a-z0-9_-]*\$?$/;
const byName = (what: string) =>
  z.record(z.string().regex(name, `expected the name of a ${what}`), limits).describe(`Limits by ${what}`);

/** The value of a profile's `limits:` key. */
export const limitsWanted = z
  .strictObject({
    users: byName('user').optional(),
    groups: byName('group').optional(),
    services: limits
      .optional()
      .describe('Defaults of systemd for all services (DefaultLimit…); a unit’s own Limit… counts for more'),
  })
  .describe('What processes may take: realtime priority, locked memory, open files, nice');

export type LimitsWanted = z.output<typeof limitsWanted>;
export type Limits = z.output<typeof limits>;
