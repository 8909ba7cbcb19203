import { z } from 'zod';
import { describeIssues, describeUnknownRemovals } from '../profile/check.ts';
import { InvalidProfile } from '../profile/problem.ts';
import { allowRemoval, type JsonSchema, toJsonSchema } from '../profile/schema.ts';
import { findRemovals, listPlaces, toPlain } from '../profile/sourced.ts';
import { type ProfileStore, readProfileTree } from '../profile/sources.ts';
import { findContradictions } from './contradictions.ts';
import type { Deployment } from './deployment.ts';
import { deploymentWanted } from './schema.ts';

/** Loads a deployment by name or path. Throws UsageError (no such file) or InvalidProfile (all mistakes at once). */
export async function loadDeployment(nameOrPath: string, store: ProfileStore): Promise<Deployment> {
  const source = await readProfileTree(nameOrPath, store);
  const { data, error } = deploymentWanted.safeParse(toPlain(source.tree), { jitless: true });
  const schema = deploymentJsonSchema();
  const mistakes = [
    ...source.problems,
    ...(findRemovals(source.tree).length > 0 ? describeUnknownRemovals(source.tree, schema) : []),
    ...describeIssues(error?.issues ?? [], source.tree, schema),
  ];
  if (data === undefined || mistakes.length > 0) throw new InvalidProfile(mistakes);
  const deployment: Deployment = {
    name: data.name ?? source.name,
    description: data.description,
    file: source.file,
    sources: source.sources,
    profile: data.profile,
    heal: data.heal,
    processes: data.processes,
    positions: listPlaces(source.tree),
  };
  const contradictions = findContradictions(deployment);
  if (contradictions.length > 0) throw new InvalidProfile(contradictions);
  return deployment;
}

/** JSON Schema of what is written in a deployment, for editors. */
export function deploymentJsonSchema(): JsonSchema {
  const reference = z.union([z.string(), z.array(z.string())]);
  const written = deploymentWanted.extend({
    extends: reference
      .optional()
      .describe('Deployments that this one starts from, by name or by path relative to this file; later ones win'),
  });
  return toJsonSchema(allowRemoval(written));
}
