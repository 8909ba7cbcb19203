import { z } from 'zod';
import type { ProfileContext } from '../../../src/profile/load.ts';
import { count, cpuSet, durationUs, onOff, size } from '../../../src/profile/values.ts';
import { defineDomain } from '../../../src/tuning/domain.ts';
import { FakeHost } from '../../fake-host.ts';

/** A domain with one key of each kind that real ones have. */
const example = defineDomain({
  name: 'example',
  schema: async () =>
    z.strictObject({
      swap: onOff().optional(),
      enabled: z.boolean().optional(),
      ring: z.union([count({ min: 1 }), z.literal('max')]).optional(),
      pages: z.array(z.strictObject({ size: size(), count: count() })).optional(),
      poll: durationUs().optional(),
      cpus: cpuSet().optional(),
      governor: z.enum(['performance', 'powersave']).optional(),
      perNic: z.record(z.string(), z.strictObject({ mtu: count({ min: 68 }) })).optional(),
    }),
  observe: async () => ({}),
  desire: () => ({ settings: [], refused: [] }),
});

/** The store that a command would use, with these files in it. */
export function contextOf(files: Record<string, string>): ProfileContext & { reader: FakeHost } {
  return { searchPath: ['/etc/hft/profiles', '/hft/profiles'], reader: new FakeHost(files), domains: [example] };
}
