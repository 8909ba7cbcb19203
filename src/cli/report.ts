import { verifyPlan } from '../engine/verify.ts';
import { HftError } from '../errors.ts';
import { LocalHost } from '../host/local.ts';
import type { Machine } from '../topology/machine.ts';
import type { ReportInput, SettingsPart } from '../views/report/input.ts';
import { drawReport } from '../views/report/page.ts';
import { drawTopology } from '../views/topology-svg.ts';
import { type Installation, openAgent, openTarget } from './target.ts';
import { loadWanted } from './wanted.ts';

export interface ReportFlags {
  readonly profile?: string | undefined;
  readonly snapshot?: string | undefined;
}

const NO_PROFILE =
  'No profile was named and none is in force here, so there is nothing to compare with: `--profile NAME`.';
const NOT_MEASURED = 'Not measured; run `hft verify latency`.';
const CAPTURED = 'A captured machine cannot be measured; run `hft verify latency` on the machine itself.';

/** What is known of this machine, or of a captured one. Changes nothing. */
export async function collectReport(installation: Installation, flags: ReportFlags): Promise<ReportInput> {
  const target = await openTarget(installation, flags.snapshot);
  const agent = flags.snapshot === undefined ? await openAgent(installation) : undefined;
  try {
    const named = flags.profile === undefined ? undefined : await loadWanted(flags.profile, installation.root);
    const planned = named && (await named.locate(() => target.plan(named.wanted, named.scope)));
    const settings = planned
      ? { plan: planned.plan, verification: verifyPlan(planned.plan) }
      : await settingsInForce(agent);
    const machine: Machine = planned?.machine ?? (await target.machine());
    return {
      time: new Date().toISOString(),
      version: installation.version,
      host: machine.host,
      facts: await target.facts(),
      topology: drawTopology(machine, planned?.machine.layout),
      settings,
      latency: agent === undefined ? CAPTURED : ((await agent.lastLatency()) ?? NOT_MEASURED),
    };
  } finally {
    await target.close();
  }
}

type LocalAgent = Awaited<ReturnType<typeof openAgent>>;

/** A profile in force that this host can no longer have is told and does not keep the rest of the page from being written. */
async function settingsInForce(agent: LocalAgent | undefined): Promise<SettingsPart | string> {
  const part = await agent?.inForce();
  if (agent === undefined || part === undefined) return NO_PROFILE;
  try {
    const { plan } = await agent.plan(part.wanted, part.scope);
    return { plan, verification: (await agent.verifyInForce({})) ?? verifyPlan(plan) };
  } catch (error) {
    if (!(error instanceof HftError)) throw error;
    return `${part.wanted.name}, which is in force, cannot be compared with this host: ${error.message}`;
  }
}

/** Writes the page to `file` or hft-report-HOST.html; returns where. */
export async function writeReport(input: ReportInput, file: string | undefined): Promise<string> {
  const target = file ?? `hft-report-${fileName(input.host)}.html`;
  await new LocalHost().replaceFile(target, drawReport(input));
  return target;
}

/** The name in a snapshot is anybody's. */
function fileName(host: string): string {
  return host.replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^[.-]+/, '') || 'host';
}
