import type { RemoteHost } from '../agent/client/remote-host.ts';
import { PERSISTENCE } from '../engine/scope.ts';
import { HftError, UsageError } from '../errors.ts';
import { type HostFailure, worstExitCode } from '../fleet/answers.ts';
import { type ComparedHost, type FleetDifference, findDifferences } from '../fleet/difference.ts';
import { type Features, featuresOfFacts, featuresOfSettings, featuresOfStatus } from '../fleet/features.ts';
import { hostFactsOf } from '../topology/host-facts.ts';
import { askFleet } from './fleet-ask.ts';
import type { HostFlags } from './host-flag.ts';
import { chooseHosts, type NamedHost } from './named-host.ts';
import { openRemote } from './open-host.ts';
import { type Installation, openTarget } from './target.ts';
import { loadWanted, type NamedWanted } from './wanted.ts';

export interface FleetDiffFlags extends HostFlags {
  readonly snapshot?: readonly string[] | undefined;
  readonly profile?: string | undefined;
}

export interface FleetDiff {
  readonly hosts: readonly string[];
  /** In how many things they were compared. */
  readonly features: number;
  readonly differences: readonly FleetDifference[];
  /** Hosts that could not be compared. */
  readonly failed: readonly { readonly host: string; readonly error: HostFailure }[];
  /** 0 equal, 1 something differs; else that of the worst host that failed. */
  readonly exitCode: number;
}

/** Compares hosts that should be equal, or captured ones. Changes nothing. Throws UsageError for fewer than two. */
export async function diffFleet(
  installation: Installation,
  flags: FleetDiffFlags,
  report: (text: string) => void,
): Promise<FleetDiff> {
  const named = flags.profile === undefined ? undefined : await loadWanted(flags.profile, installation.root);
  const { snapshot } = flags;
  if (snapshot !== undefined) return compare(await readSnapshots(installation, snapshot, named), [], []);
  const chosen = await chooseHosts(flags);
  if (chosen.is === 'one' || chosen.hosts.length < 2) throw new TooFew();
  const { answers } = await askFleet(
    chosen,
    async (host: NamedHost) => {
      const { control, close } = await openRemote(host);
      const json = await readFeatures(control, named).finally(close);
      return { json, text: () => '', brief: `${json.size} things read`, exitCode: 0 };
    },
    report,
  );
  const compared = answers.flatMap(({ host, result }) => (result === undefined ? [] : { host, features: result.json }));
  const failed = answers.flatMap(({ host, error }) => (error === undefined ? [] : { host, error }));
  return compare(
    compared,
    failed,
    answers.map(({ exitCode }) => exitCode),
  );
}

class TooFew extends UsageError {
  constructor() {
    super('It takes two hosts to compare.', {
      next: ['Name them by `--inventory FILE`, by `--host A --host B`, or by `--snapshot A --snapshot B`.'],
    });
  }
}

function compare(
  compared: readonly ComparedHost[],
  failed: FleetDiff['failed'],
  exitCodes: readonly number[],
): FleetDiff {
  const differences = findDifferences(compared);
  const features = new Set(compared.flatMap((each) => [...each.features.keys()])).size;
  const exitCode = worstExitCode([...exitCodes, differences.length > 0 ? 1 : 0]);
  return { hosts: compared.map(({ host }) => host), features, differences, failed, exitCode };
}

async function readFeatures(control: RemoteHost, named: NamedWanted | undefined): Promise<Features> {
  const { machine, inspection } = await control.inspect(undefined);
  const verification =
    named === undefined
      ? await control.verifyInForce({})
      : await named.locate(() => control.verify(named.wanted, { skip: [PERSISTENCE] }));
  return new Map([
    ...featuresOfFacts(hostFactsOf(machine, inspection)),
    ...(verification === undefined ? [] : featuresOfSettings(verification)),
    ...featuresOfStatus(await control.status()),
  ]);
}

async function readSnapshots(
  installation: Installation,
  paths: readonly string[],
  named: NamedWanted | undefined,
): Promise<readonly ComparedHost[]> {
  if (new Set(paths).size < 2) throw new TooFew();
  const compared: ComparedHost[] = [];
  for (const path of new Set(paths))
    compared.push({ host: path, features: await readSnapshot(installation, path, named) });
  return compared;
}

async function readSnapshot(
  installation: Installation,
  path: string,
  named: NamedWanted | undefined,
): Promise<Features> {
  const target = await openTarget(installation, path);
  try {
    const facts = featuresOfFacts(await target.facts());
    if (named === undefined) return facts;
    const settings = await named.locate(() => target.verify(named.wanted, { skip: [PERSISTENCE] }));
    return new Map([...facts, ...featuresOfSettings(settings)]);
  } catch (error) {
    if (!(error instanceof HftError)) throw error;
    throw new HftError(`${path}: ${error.message}`, { exitCode: error.exitCode, next: error.next });
  } finally {
    await target.close();
  }
}
