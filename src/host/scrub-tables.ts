import type { AddressPseudonyms } from './scrub-addresses.ts';

/**
 * Addresses in tables of /proc/net are hex digits without separators. IPv4 addresses, and the four words of an IPv6
 * address in the socket tables, are in the byte order of the machine, which is little-endian on every machine hft knows;
 * https://docs.kernel.org/networking/proc_net_tcp.html. undefined: it is no such table.
 */
export function scrubKernelTable(path: string, text: string, addresses: AddressPseudonyms): string | undefined {
  const ipv4 = (hex: string) => fromOctets(addresses.mapOctets(toOctets(hex)));
  switch (/\/net\/([a-z_0-9]+)$/.exec(path)?.[1]) {
    case 'route':
      return text.replace(/\b[0-9A-F]{8}\b/g, ipv4);
    case 'tcp':
    case 'udp':
      return text.replace(/\b[0-9A-F]{8}(?=:[0-9A-F]{4}\b)/g, ipv4);
    case 'tcp6':
    case 'udp6':
      return text.replace(/\b[0-9A-F]{32}(?=:[0-9A-F]{4}\b)/g, (hex) =>
        swapWords(ipv6(swapWords(hex), addresses).toUpperCase()),
      );
    case 'if_inet6':
    case 'ipv6_route':
      return text.replace(/\b[0-9a-f]{32}\b/g, (hex) => ipv6(hex, addresses));
    default:
      return undefined;
  }
}

function toOctets(hex: string): number[] {
  return splitEvery(hex, 2)
    .map((pair) => Number.parseInt(pair, 16))
    .reverse();
}

function fromOctets(octets: readonly number[]): string {
  return octets
    .map((octet) => octet.toString(16).padStart(2, '0').toUpperCase())
    .reverse()
    .join('');
}

function ipv6(hex: string, addresses: AddressPseudonyms): string {
  const hextets = addresses.mapHextets(splitEvery(hex, 4).map((group) => Number.parseInt(group, 16)));
  return hextets.map((hextet) => hextet.toString(16).padStart(4, '0')).join('');
}

/** The bytes of every 32-bit word in the other order. */
function swapWords(hex: string): string {
  return splitEvery(hex, 8)
    .map((word) => splitEvery(word, 2).reverse().join(''))
    .join('');
}

function splitEvery(text: string, length: number): string[] {
  return Array.from({ length: text.length / length }, (_, index) => text.slice(index * length, (index + 1) * length));
}
