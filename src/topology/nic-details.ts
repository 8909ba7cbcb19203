import type { HostReader } from '../host/host.ts';
import {
  type Limited,
  parseCoalescing,
  parseDriverInfo,
  parseFeatures,
  parseLimited,
  parseTimestamping,
  type Timestamping,
} from './ethtool-text.ts';

/** What ethtool tells of a NIC; a part that its driver does not have is empty. */
export interface NicDetails {
  readonly name: string;
  readonly driverVersion: string | undefined;
  readonly firmware: string | undefined;
  readonly rings: Readonly<Record<string, Limited>>;
  readonly channels: Readonly<Record<string, Limited>>;
  readonly coalescing: Readonly<Record<string, number | 'on' | 'off'>>;
  readonly offloads: Readonly<Record<string, { readonly on: boolean; readonly fixed: boolean }>>;
  readonly timestamping: Timestamping;
}

/** Six questions to ethtool(8), at once. */
export async function readNicDetails(reader: HostReader, name: string): Promise<NicDetails> {
  const [info, rings, channels, coalescing, features, timestamping] = await Promise.all(
    ['-i', '-g', '-l', '-c', '-k', '-T'].map((option) => askEthtool(reader, option, name)),
  );
  const driver = parseDriverInfo(info as string);
  return {
    name,
    driverVersion: driver.version,
    firmware: driver.firmware,
    rings: parseLimited(rings as string),
    channels: parseLimited(channels as string),
    coalescing: parseCoalescing(coalescing as string),
    offloads: parseFeatures(features as string),
    timestamping: parseTimestamping(timestamping as string),
  };
}

/** Nothing when ethtool is not installed or the driver does not know what is asked for. */
async function askEthtool(reader: HostReader, option: string, name: string): Promise<string> {
  const answer = await reader.query(['ethtool', option, name]);
  return answer.found && answer.exitCode === 0 ? answer.stdout : '';
}
