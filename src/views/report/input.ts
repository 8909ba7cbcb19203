import type { Plan } from '../../engine/plan.ts';
import type { Verification } from '../../engine/verify.ts';
import type { CausesFound } from '../../latency/report/disturbances.ts';
import type { LatencyPlots } from '../../latency/report/plots.ts';
import type { LatencyRecord } from '../../latency/report/record.ts';
import type { LatencyResult } from '../../latency/report/result.ts';
import type { HostFacts } from '../../topology/host-facts.ts';

/** A time without the CPU, and what had it then. */
export interface GapSeen {
  readonly cpu: number;
  /** Since the start of its run. */
  readonly atS: number;
  readonly durationNs: number;
  /** null: nobody saw. */
  readonly cause: string | null;
}

export interface Disturbance {
  readonly cause: string;
  readonly count: number;
  readonly totalNs: number;
  readonly maxNs: number;
  /** The id of the setting that removes it. */
  readonly fix?: string | null;
  /** What else helps, or why no setting does. */
  readonly advice?: string | null;
  /** Of a thread that the gaps are of: faults that it took in them. Not in what older versions saved. */
  readonly pageFaults?: number | null;
  /** Of throttling: threads that ran because of it. */
  readonly letRun?: readonly string[];
}

/** A result, with the causes of its gaps where they were sought. */
export interface AttributedResult extends Omit<LatencyResult, keyof CausesFound> {
  readonly disturbances: readonly Disturbance[];
  readonly explainedFraction: number | null;
  readonly gaps?: readonly GapSeen[];
  /** How the causes were found, A to D, and what that tier can tell. */
  readonly attribution?: { readonly tier: string; readonly why: string } | null;
  /** What the measurement or the machine itself did to the figures. */
  readonly artefacts?: readonly { readonly text: string; readonly probe: string; readonly variant: string }[];
}

/** What was measured on one host at one time; a LatencyRecord is one. */
export interface MeasuredPart extends Omit<LatencyRecord, 'result'> {
  readonly result: AttributedResult;
}

/** What was measured before, to be seen beside. */
export interface BaselinePart {
  readonly name: string;
  /** ISO 8601 */
  readonly time: string;
  readonly result: Pick<LatencyResult, 'probes' | 'host'>;
  /** Without them its curves have the percentiles of the rows alone. */
  readonly plots?: Pick<LatencyPlots, 'series'>;
}

/** What of the profile is shown; a reason where there is none. */
export interface SettingsPart {
  readonly plan: Plan;
  readonly verification: Verification;
}

/** All that a page may show. A string in the place of a part says why it is not there; undefined: it was not asked for. */
export interface ReportInput {
  /** When the page was written; ISO 8601. */
  readonly time: string;
  readonly version: string;
  readonly host: string;
  readonly facts: HostFacts | string;
  /** An SVG made by drawTopology. */
  readonly topology?: string;
  readonly settings?: SettingsPart | string;
  readonly latency: MeasuredPart | string;
  readonly baseline?: BaselinePart;
}
