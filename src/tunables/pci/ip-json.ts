import { HostError } from '../../errors.ts';

/**
 * The global addresses of `ip -j addr show dev X` that somebody set. What DHCP and router advertisements give (dynamic)
 * and what the kernel makes (link-local) come back by themselves. Throws HostError for anything that is not ip's.
 */
export function parseAddresses(text: string): readonly string[] {
  return parseList(text, 'ip addr').flatMap((link) => {
    const { addr_info: addresses = [] } = link;
    if (!Array.isArray(addresses)) throw notOfIp('ip addr');
    return addresses.flatMap((entry: Record<string, unknown>) => {
      if (entry.scope !== 'global' || entry.dynamic === true || entry.temporary === true) return [];
      if (typeof entry.local !== 'string' || typeof entry.prefixlen !== 'number') throw notOfIp('ip addr');
      return [`${entry.local}/${entry.prefixlen}`];
    });
  });
}

/** Who sets routes that nobody has to put back. */
const BY_THEMSELVES = ['kernel', 'dhcp', 'ra', 'redirect'];

/** The routes of `ip -j route show dev X` that somebody set, in ip's words without the device. */
export function parseRoutes(text: string): readonly string[] {
  return parseList(text, 'ip route').flatMap((route) => {
    const { dst, gateway, protocol, prefsrc, metric, flags } = route;
    if (typeof dst !== 'string') throw notOfIp('ip route');
    if (typeof protocol === 'string' && BY_THEMSELVES.includes(protocol)) return [];
    const words = [
      dst,
      ...(typeof gateway === 'string' ? ['via', gateway] : []),
      ...(typeof protocol === 'string' ? ['proto', protocol] : []),
      ...(typeof prefsrc === 'string' ? ['src', prefsrc] : []),
      ...(typeof metric === 'number' ? ['metric', String(metric)] : []),
      ...(Array.isArray(flags) && flags.includes('onlink') ? ['onlink'] : []),
    ];
    return [words.join(' ')];
  });
}

/** The entries of `ip -j neigh show dev X nud permanent`, in ip's words without the device. */
export function parseNeighbours(text: string): readonly string[] {
  return parseList(text, 'ip neigh').flatMap(({ dst, lladdr }) => {
    if (typeof dst !== 'string') throw notOfIp('ip neigh');
    return typeof lladdr === 'string' ? [`${dst} lladdr ${lladdr}`] : [];
  });
}

/** An empty answer is an empty list: older versions of ip print nothing where there is nothing. */
function parseList(text: string, command: string): readonly Record<string, unknown>[] {
  if (text.trim() === '') return [];
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw notOfIp(command);
  }
  if (!Array.isArray(parsed) || parsed.some((entry) => typeof entry !== 'object' || entry === null))
    throw notOfIp(command);
  return parsed;
}

function notOfIp(command: string): HostError {
  return new HostError('parse', `the answer of ${command}`, 'EINVAL');
}
