import type { Place } from '../profile/problem.ts';
import type { DeploymentWanted } from './schema.ts';

/** What runs on a host: read, checked as far as that goes without a host, with everything it extends merged in. */
export interface Deployment {
  readonly name: string;
  readonly description: string | undefined;
  readonly file: string;
  /** Every file it was read from, ancestors first. */
  readonly sources: readonly string[];
  readonly profile: string | undefined;
  readonly heal: boolean;
  readonly processes: DeploymentWanted['processes'];
  /** Where each value was written, by its path: `processes.strategy.cpus`. */
  readonly positions: Readonly<Record<string, Place>>;
}
