/** Where hft keeps what ends with the boot: HFT_RUN_DIR, else /run/hft. */
export function runPath(environment: Readonly<Record<string, string | undefined>>): string {
  return environment.HFT_RUN_DIR || '/run/hft';
}

/** The order, the state and the logs of what hft launched. */
export function launchPath(environment: Readonly<Record<string, string | undefined>>): string {
  return `${runPath(environment)}/launch`;
}
