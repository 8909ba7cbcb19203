import { UsageError } from '../errors.ts';
import type { Machine } from '../topology/machine.ts';

type Seen = Pick<Machine, 'host'> & {
  readonly nics: readonly Pick<Machine['nics'][number], 'name' | 'carriesSession'>[];
};

/**
 * AF_XDP attaches a program to the interface for the time of the measurement. Not to the one by which somebody is here. Throws UsageError.
 */
export function requireFreeInterface({ nics, host }: Seen, name: string | undefined): void {
  const nic = nics.find((each) => each.name === name);
  if (name === undefined || nic?.carriesSession === false) return;
  if (nic === undefined) {
    throw new UsageError(`--xdp: ${host} has no interface ${name}.`, {
      next: [`It has ${nics.map((each) => each.name).join(', ') || 'none'}.`],
    });
  }
  throw new UsageError(`--xdp ${name}: this interface carries the session, and nothing is attached to it.`, {
    next: ['Name the interface of the trading network.'],
  });
}
