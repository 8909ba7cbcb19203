/** What a command printed, as the host's door has it; undefined: it could not be run. */
type Result =
  | { readonly found: true; readonly exitCode: number; readonly stdout: string; readonly stderr: string }
  | { readonly found: false }
  | undefined;

interface PlacingLine {
  readonly tid?: number;
  readonly name?: string;
  readonly cpus?: string;
  readonly failed?: string;
  readonly reason?: string;
  readonly missing?: string;
  readonly wanted?: number;
  readonly found?: number;
  readonly ended?: number;
}

/** Why `hft-probe place-threads` did not place all threads, one sentence; undefined when it did. */
export function explainPlacing(result: Result): string | undefined {
  if (result === undefined || !result.found) return 'hft-probe could not be run to place its threads';
  if (result.exitCode === 0) return undefined;
  const lines = result.stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as PlacingLine]));
  const reasons = lines.flatMap(sayLine);
  return reasons.length === 0
    ? result.stderr.trim() || `place-threads ended with ${result.exitCode}`
    : reasons.join('; ');
}

function sayLine({ name, cpus, failed, reason, missing, wanted, found, ended }: PlacingLine): string[] {
  if (missing !== undefined) return [`${found} of ${wanted} threads ${JSON.stringify(missing)} came in time`];
  if (failed !== undefined) return [`thread ${name} could not be placed on CPU ${cpus}: ${failed}: ${reason}`];
  return ended === undefined ? [] : ['it ended while its threads were placed'];
}
