/** Where hft keeps its state: HFT_STATE_DIR, else /var/lib/hft. */
export function statePath(environment: Readonly<Record<string, string | undefined>>): string {
  return environment.HFT_STATE_DIR || '/var/lib/hft';
}

/** What a boot needs to launch again what was launched. */
export function keptPath(environment: Readonly<Record<string, string | undefined>>): string {
  return `${statePath(environment)}/launch`;
}
