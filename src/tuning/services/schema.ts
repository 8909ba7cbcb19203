import { z } from 'zod';
import { findNearest } from '../../profile/nearest.ts';
import { FIGHTERS } from './fighters.ts';
import { isUnitName } from './unit-name.ts';

const state = z.enum(['stopped', 'banned', 'running', 'left']);

/** The value of a profile's `services:` key: what becomes of units that are installed. */
export const servicesWanted = z
  .record(z.string(), state)
  .superRefine((map, context) => {
    for (const name of Object.keys(map)) {
      const problem = findProblem(name);
      if (problem !== undefined) context.addIssue({ code: 'custom', path: [name], message: problem });
    }
  })
  .describe(
    'Units by name. stopped: not running and not started at boot; banned: masked too, so that nothing else starts it; ' +
      'running: running and started at boot; left: as it is, whatever an inherited profile says. ' +
      'A unit that is not installed is fine',
  );

export type ServicesWanted = z.output<typeof servicesWanted>;

/** A short name must be known, or a typing error would leave the service running unseen. */
function findProblem(name: string): string | undefined {
  if (!/^[\w:.@\\-]+$/.test(name)) return 'expected the name of a unit';
  if (isUnitName(name) || FIGHTERS.some((fighter) => fighter.name === name)) return undefined;
  const names = FIGHTERS.map((fighter) => fighter.name);
  const near = findNearest(name, names);
  const hint = near === undefined ? `known: ${names.join(', ')}` : `did you mean ${near}?`;
  return `hft does not know the service ${name} (${hint}). Any other unit: write its full name, ${name}.service`;
}
