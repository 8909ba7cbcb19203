import { finding } from './findings.ts';
import type { Finding, Probe, ProbeReport, Variant, VariantRequest } from './probe.ts';
import type { ProbeRun } from './run.ts';
import { reportTraffic } from './traffic.ts';

const RATE_HZ = 1_000;
const PAYLOAD_BYTES = 64;

/** One way to ask a data server. */
export interface Question {
  /** `get`, `get 16 a write`. */
  readonly name: string;
  readonly options: Readonly<Record<string, string | number>>;
}

/** What differs between the probes of data servers (agents/probes/requests.h). */
export interface DataServer {
  readonly name: string;
  readonly what: string;
  /** The quick suite has the first. */
  readonly questions: readonly [Question, ...Question[]];
}

/**
 * The probe of a data server: one connection, open loop at 1,000 requests a second, the closed loop beside it. Without a server that
 * was named one is started for each run, which takes a CPU of its own.
 */
export function probeRequests({ name, what, questions }: DataServer): Probe {
  return {
    name,
    what,
    onlyInFull: true,
    variants: (request) => listVariants(name, questions, request),
    report: (run, variant) => reportRequests(name, run, variant),
  };
}

function listVariants(name: string, questions: DataServer['questions'], request: VariantRequest): readonly Variant[] {
  const { cpus, suite, servers } = request;
  const named = servers?.[name];
  const [client, ...others] = cpus.slice(0, named === undefined ? 2 : 1);
  if (client === undefined || (named === undefined && others.length === 0)) return [];
  const asked = suite === 'quick' ? questions.slice(0, 1) : questions;
  return listWays(named, suite).flatMap(({ way, server }) =>
    asked.map((question) => ({
      name: `${question.name} ${way}`,
      cpus: [client, ...others],
      // The client waits for the next intended time without sleeping; a server sleeps until something comes.
      spins: true,
      spinning: [client],
      policy: 'other' as const,
      options: { wait: 'block', ...question.options, payload: PAYLOAD_BYTES, rate: RATE_HZ, server },
    })),
  );
}

function listWays(named: string | undefined, suite: VariantRequest['suite']) {
  if (named !== undefined) return [{ way: named, server: named }];
  const unix = { way: 'unix', server: 'own-unix' };
  return suite === 'quick' ? [unix] : [unix, { way: 'tcp', server: 'own-tcp' }];
}

function reportRequests(name: string, run: ProbeRun, variant: Variant): ProbeReport {
  const report = reportTraffic(name, run, variant);
  return { ...report, findings: [...report.findings, ...findKey(run)] };
}

function findKey({ meta, result }: ProbeRun): Finding[] {
  if (result.keyLeft !== true) return [];
  const text = `The key hft:probe:* could not be deleted from ${meta.server?.address ?? 'the server'}; it expires by itself within minutes.`;
  return [finding('key-left', text)];
}
