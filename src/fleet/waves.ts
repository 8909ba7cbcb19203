import { UsageError } from '../errors.ts';

/** How many hosts a wave has: so many, or a share of all (0 … 1). */
export type WaveSize = { readonly hosts: number } | { readonly share: number };

/** `10%`, `5`. Throws UsageError. */
export function parseWaveSize(flag: string, text: string): WaveSize {
  const { number, percent } = /^(?<number>\d{1,6})(?<percent>%?)$/.exec(text.trim())?.groups ?? {};
  const size = Number(number);
  if (percent === '%' && size >= 1 && size <= 100) return { share: size / 100 };
  if (percent === '' && size >= 1) return { hosts: size };
  throw new UsageError(`${flag}: expected a number of hosts or a share such as 10%, got ${JSON.stringify(text)}.`);
}

/** The canaries first, each wave behind the one before, in the order of the hosts. A share is rounded up, and is one host at least. */
export function cutWaves<Host>(hosts: readonly Host[], canary: number, size: WaveSize): readonly (readonly Host[])[] {
  const count = 'hosts' in size ? size.hosts : Math.max(1, Math.ceil(size.share * hosts.length));
  const waves = canary > 0 ? [hosts.slice(0, canary)] : [];
  for (let at = canary; at < hosts.length; at += count) waves.push(hosts.slice(at, at + count));
  return waves.filter((wave) => wave.length > 0);
}
