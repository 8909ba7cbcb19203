/**
 * The variables of a process as lines of `NAME="VALUE"`, which systemd reads (EnvironmentFile=, systemd.exec(5)) and so does
 * `hft-probe start --environment`. Values have one line each.
 */
export function printEnvironment(environment: Readonly<Record<string, string>>): string {
  return Object.entries(environment)
    .map(([name, value]) => `${name}="${value.replace(/[\\"`$]/g, '\\$&')}"\n`)
    .join('');
}
