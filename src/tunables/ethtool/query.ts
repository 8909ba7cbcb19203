import { HostError } from '../../errors.ts';
import type { HostReader, QueryResult } from '../../host/host.ts';
import type { Reading } from '../tunable.ts';
import { findError } from './strerror.ts';

/** What a show command of ethtool gave: the parsed output, or the reading that stands for its absence. */
export type Shown<T> =
  | { readonly ok: true; readonly output: T }
  | { readonly ok: false; readonly reading: Exclude<Reading, { status: 'value' }> };

export interface ShowCommand<T> {
  readonly option: string;
  readonly device: string;
  /** Undefined when the text is not the output of this option for this device. */
  readonly parse: (text: string, device: string) => T | undefined;
}

/**
 * Runs `ethtool OPTION DEVICE`. A driver without the function is `missing`; without ethtool, without the right, or with
 * output that is not ethtool's, it is `unreadable`. Some versions fail with exit code 0, so the output decides.
 */
export async function showEthtool<T>(reader: HostReader, { option, device, parse }: ShowCommand<T>): Promise<Shown<T>> {
  const where = `ethtool ${option} ${device}`;
  const result = await ask(reader, ['ethtool', option, device]);
  if (result instanceof HostError) return unreadable(result.code, `${where}: ${result.code}`);
  if (!result.found) return unreadable('ENOENT', `${where}: ethtool is not installed, or its answer was not captured`);
  const output = parse(result.stdout, device);
  if (output !== undefined) return { ok: true, output };
  const error = findError(result.stderr) ?? findError(result.stdout);
  const said =
    error?.line ?? lastLine(result.stderr) ?? lastLine(result.stdout) ?? `no output, exit code ${result.exitCode}`;
  const evidence = `${where}: ${said}`;
  const isAbsent = error?.code === 'EOPNOTSUPP' || error?.code === 'ENODEV';
  return isAbsent
    ? { ok: false, reading: { status: 'missing', evidence } }
    : unreadable(error?.code ?? 'EINVAL', evidence);
}

function unreadable(
  code: string,
  evidence: string,
): { ok: false; reading: { status: 'unreadable'; code: string; evidence: string } } {
  return { ok: false, reading: { status: 'unreadable', code, evidence } };
}

async function ask(reader: HostReader, argv: readonly string[]): Promise<QueryResult | HostError> {
  try {
    return await reader.query(argv);
  } catch (error) {
    if (error instanceof HostError) return error;
    throw error;
  }
}

function lastLine(text: string): string | undefined {
  return text.trim() === '' ? undefined : text.trim().split('\n').at(-1)?.trim();
}
