import { dirname, resolve } from 'node:path';
import { observeAndPlan } from '../engine/observe.ts';
import { ProfileError, UsageError } from '../errors.ts';
import type { HostReader } from '../host/host.ts';
import { LocalHost } from '../host/local.ts';
import { rememberingReader } from '../host/memo.ts';
import { openSnapshot } from '../host/snapshot.ts';
import type { Deployment } from '../launch/deployment.ts';
import { readLaunchFacts } from '../launch/launch-facts.ts';
import { loadDeployment } from '../launch/load.ts';
import type { Placement } from '../launch/placement.ts';
import { solvePlacement } from '../launch/solve.ts';
import { effectiveLayout } from '../layout/effective.ts';
import type { PlacedMachine } from '../layout/layout.ts';
import { placeOf } from '../profile/load.ts';
import { printPlace } from '../profile/problem.ts';
import { readMachine } from '../topology/read.ts';
import { drawPlacement } from '../views/place-svg.ts';
import { openDeploymentStore } from './deployment-store.ts';
import { loadWanted, type NamedWanted } from './wanted.ts';

export interface PlaceFlags {
  readonly profile?: string | undefined;
  readonly snapshot?: string | undefined;
  readonly svg?: string | undefined;
}

interface Source {
  readonly root: string;
  /** Whose profile it is; undefined: a flag named it. */
  readonly deployment: Deployment | undefined;
}

/** A deployment, and where its threads go on a host. */
export interface Placed {
  readonly deployment: Deployment;
  readonly placement: Placement;
  readonly machine: PlacedMachine;
  /** The profile that the CPU roles are of; undefined: those of the running kernel. */
  readonly profile: string | undefined;
}

/** A deployment placed on a host, which is not changed. Draws the picture when a file is named. */
export async function place(root: string, file: string, flags: PlaceFlags): Promise<Placement> {
  const snapshot = flags.snapshot === undefined ? undefined : await openSnapshot(flags.snapshot);
  try {
    const { placement, machine } = await placeDeployment(snapshot ?? new LocalHost(), {
      root,
      file,
      profile: flags.profile,
    });
    if (flags.svg !== undefined) await new LocalHost().replaceFile(flags.svg, drawPlacement(placement, machine));
    return placement;
  } finally {
    await snapshot?.close();
  }
}

export interface PlaceRequest {
  readonly root: string;
  readonly file: string;
  /** In place of the one that the deployment names. */
  readonly profile: string | undefined;
}

export async function placeDeployment(host: HostReader, request: PlaceRequest): Promise<Placed> {
  const { root, file } = request;
  const deployment = await loadDeployment(file, openDeploymentStore(root));
  const reader = rememberingReader(host);
  const profile = request.profile ?? namedProfile(deployment);
  const source = { root, deployment: request.profile === undefined ? deployment : undefined };
  const machine = profile === undefined ? await withEffectiveRoles(reader) : await withRolesOf(profile, reader, source);
  const facts = await readLaunchFacts(reader, deployment);
  const roles = profile === undefined ? 'what the running kernel isolates' : `profile ${profile}`;
  return { deployment, placement: solvePlacement(deployment, { machine, facts, roles }), machine, profile };
}

/** A path is meant from the file in which it is written. */
function namedProfile(deployment: Deployment): string | undefined {
  const { profile } = deployment;
  if (profile === undefined || !/[/]|\.ya?ml$/.test(profile)) return profile;
  return resolve(dirname(placeOf(deployment, ['profile']).file), profile);
}

async function withRolesOf(profile: string, reader: HostReader, { root, deployment }: Source): Promise<PlacedMachine> {
  const { wanted, locate } = await loadNamed(profile, { root, deployment });
  return (await locate(() => observeAndPlan({ reader, domains: [], wanted }))).machine;
}

/** A profile that the deployment names and that is not there is a mistake in the deployment. */
async function loadNamed(profile: string, { root, deployment }: Source): Promise<NamedWanted> {
  try {
    return await loadWanted(profile, root);
  } catch (error) {
    if (!(error instanceof UsageError) || deployment === undefined) throw error;
    throw new ProfileError(printPlace(placeOf(deployment, ['profile'])), `profile: ${error.message}`, {
      next: error.next,
    });
  }
}

async function withEffectiveRoles(reader: HostReader): Promise<PlacedMachine> {
  const machine = await readMachine(reader);
  return { ...machine, layout: effectiveLayout(machine) };
}
