import { HostError } from '../../errors.ts';
import type { HostReader } from '../../host/host.ts';

/** What a driver can do with XDP, as the kernel says it since Linux 6.3; or why nobody knows. */
export type XdpFeatures =
  /** `basic`, `redirect`, `xsk-zerocopy` …: https://docs.kernel.org/netlink/specs/netdev.html (xdp-act) */
  { readonly known: true; readonly features: readonly string[] } | { readonly known: false; readonly reason: string };

/** Asked through hft-probe: no file in /sys says it, nor do ethtool and ip of Debian 12. */
export async function readXdpFeatures(reader: HostReader, device: string): Promise<XdpFeatures> {
  try {
    const shown = await reader.query(['hft-probe', 'xdp-features', device]);
    if (!shown.found) return { known: false, reason: 'hft-probe was not asked' };
    const features = shown.exitCode === 0 ? parseXdpFeatures(shown.stdout, device) : undefined;
    if (features !== undefined) return { known: true, features };
    const said = readUnsupported(shown.stderr) ?? shown.stderr.trim().split('\n').at(-1)?.slice(0, 200);
    return { known: false, reason: said || 'hft-probe gave no answer' };
  } catch (error) {
    if (error instanceof HostError) return { known: false, reason: error.code };
    throw error;
  }
}

/** What hft-probe says with exit code 3: `{"unsupported": …, "need": …}`. */
function readUnsupported(text: string): string | undefined {
  try {
    const said: unknown = JSON.parse(text);
    if (typeof said !== 'object' || said === null || !('unsupported' in said) || !('need' in said)) return undefined;
    return `${said.unsupported}; ${said.need} does`;
  } catch {
    return undefined;
  }
}

const LINE = /^(?<device>\S+) xdp-features(?<features>(?: [a-z][a-z-]*)*)$/;

/** Parses `eth1 xdp-features basic redirect`; undefined for anything else, and for a line that is cut. */
export function parseXdpFeatures(text: string, device: string): readonly string[] | undefined {
  if (!text.endsWith('\n')) return undefined;
  const found = LINE.exec(text.slice(0, -1))?.groups;
  if (found?.device !== device) return undefined;
  return (found.features ?? '').split(' ').filter((feature) => feature !== '');
}

/** Whether AF_XDP sockets can take packets of this driver before the stack does: XDP_REDIRECT into them. */
export function takesXdp(features: readonly string[]): boolean {
  return features.includes('basic') && features.includes('redirect');
}

/** One phrase for people. */
export function sayMode(xdp: XdpFeatures | undefined): string {
  if (xdp === undefined || !xdp.known) return `Zero copy: not known (${xdp?.reason ?? 'a virtual interface'}).`;
  return xdp.features.includes('xsk-zerocopy')
    ? 'The driver gives packets to AF_XDP without a copy.'
    : 'The driver copies each packet for AF_XDP.';
}
