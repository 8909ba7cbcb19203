/** What one of many hosts answered, or why it did not. */
export interface HostAnswer<Result> {
  /** As it was named. */
  readonly host: string;
  readonly result: Result | undefined;
  readonly error: HostFailure | undefined;
  /** The outcome in a few words: hosts with the same ones are a cohort. */
  readonly brief: string;
  readonly exitCode: number;
}

export interface HostFailure {
  /** Begins with the name of the host. */
  readonly message: string;
  readonly next: readonly string[];
}

/** Hosts with the same outcome. */
export interface Cohort {
  readonly brief: string;
  readonly exitCode: number;
  readonly hosts: readonly string[];
}

/** From the worst to the best. A host that could not be asked weighs more than one that differs. */
const WORST_FIRST = [70, 4, 3, 2, 1, 6, 5, 0];

/** The exit code of many hosts is that of the worst one. */
export function worstExitCode(exitCodes: readonly number[]): number {
  return WORST_FIRST.find((code) => exitCodes.includes(code)) ?? 0;
}

/** Those with the worst outcome first; among them the large ones. */
export function toCohorts(
  answers: readonly Pick<HostAnswer<unknown>, 'host' | 'brief' | 'exitCode'>[],
): readonly Cohort[] {
  const cohorts = new Map<string, { brief: string; exitCode: number; hosts: string[] }>();
  for (const { host, brief, exitCode } of answers) {
    const key = `${exitCode} ${brief}`;
    const cohort = cohorts.get(key) ?? { brief, exitCode, hosts: [] };
    cohort.hosts.push(host);
    cohorts.set(key, cohort);
  }
  const rank = ({ exitCode }: Cohort) => WORST_FIRST.indexOf(exitCode);
  return [...cohorts.values()].sort(
    (left, right) => rank(left) - rank(right) || right.hosts.length - left.hosts.length,
  );
}
