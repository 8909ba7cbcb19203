/** Addresses of both families as hex digits in network order: 8 for IPv4, 32 for IPv6. */
export type Address = string;

export interface Route {
  readonly interface: string;
  readonly destination: Address;
  readonly prefixBits: number;
  /** Reached directly, not through a gateway. */
  readonly onLink: boolean;
}

/** Bits of <linux/route.h>: the route is up; it is a reject route. */
const RTF_UP = 0x1;
const RTF_REJECT = 0x200;

/** Parses /proc/net/route (the main table of IPv4). Words of it are in the byte order of the host: little endian. */
export function parseIpv4Routes(text: string): readonly Route[] {
  return text.split('\n').flatMap((line) => {
    const [name, destination, gateway, flags, , , , mask] = line.trim().split(/\s+/);
    if (!name || !mask || ![destination, gateway, mask].every((word) => /^[0-9A-F]{8}$/i.test(word ?? ''))) return [];
    const bits = Number.parseInt(flags ?? '0', 16);
    if (!(bits & RTF_UP) || bits & RTF_REJECT) return [];
    return [
      {
        interface: name,
        destination: reverseBytes(destination as string),
        prefixBits: countBits(Number.parseInt(mask, 16)),
        onLink: /^0+$/.test(gateway as string),
      },
    ];
  });
}

/** Parses /proc/net/ipv6_route. Addresses of it are in network order; the loopback holds what is rejected. */
export function parseIpv6Routes(text: string): readonly Route[] {
  return text.split('\n').flatMap((line) => {
    const [destination, prefix, , , gateway, , , , flags, name] = line.trim().split(/\s+/);
    if (!destination || !prefix || !name || name === 'lo' || !/^[0-9a-f]{32}$/i.test(destination)) return [];
    if (Number.parseInt(flags ?? '0', 16) & RTF_REJECT) return [];
    const prefixBits = Number.parseInt(prefix, 16);
    return [
      { interface: name, destination: destination.toLowerCase(), prefixBits, onLink: /^0+$/.test(gateway ?? '') },
    ];
  });
}

export function isDefaultRoute({ destination, prefixBits }: Route): boolean {
  return prefixBits === 0 && /^0+$/.test(destination);
}

/** The interfaces of the most specific routes to an address; several when they are equally specific. */
export function findInterfaces(address: Address, routes: readonly Route[]): readonly string[] {
  const matching = routes.filter((route) => covers(route, address));
  const longest = Math.max(...matching.map(({ prefixBits }) => prefixBits));
  return matching.filter(({ prefixBits }) => prefixBits === longest).map((route) => route.interface);
}

function covers({ destination, prefixBits }: Route, address: Address): boolean {
  if (destination.length !== address.length) return false;
  const shift = BigInt(address.length * 4 - prefixBits);
  return BigInt(`0x${destination}`) >> shift === BigInt(`0x${address}`) >> shift;
}

function countBits(mask: number): number {
  return mask.toString(2).replaceAll('0', '').length;
}

/** A 32-bit word from the byte order of the host. */
export function reverseBytes(word: string): string {
  return (word.match(/../g) ?? []).reverse().join('').toLowerCase();
}
