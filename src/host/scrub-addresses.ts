import { isIPv4, isIPv6 } from 'node:net';
import { Pseudonyms } from './scrub-shapes.ts';

/**
 * Pseudonyms of addresses. Two addresses that share a prefix get pseudonyms that share one as long, so that routes and
 * networks still fit together; private, link-local and multicast addresses stay what they are by their beginning.
 */
export class AddressPseudonyms {
  readonly #hardware = new Pseudonyms();
  readonly #identifiers = new Pseudonyms();
  readonly #octets = new Pseudonyms();
  readonly #hextets = new Pseudonyms();

  /** A MAC address or a longer one (EUI-64, InfiniBand) in whatever notation: only the hex digits count. */
  ofHardware(text: string): string {
    const digits = onlyDigits(text);
    // An EUI-64 made from a MAC address has ff fe in the middle.
    const isFromMac = digits.length === 16 && digits.slice(6, 10) === 'fffe';
    const address = isFromMac ? digits.slice(0, 6) + digits.slice(10) : digits;
    if (/^(0+|f+)$/.test(address) || /^(0180c2|011b19)/.test(address)) return text;
    const isMulticast = (Number.parseInt(address.slice(0, 2), 16) & 1) === 1;
    // 02: locally administered, so that no vendor's address comes out, IEEE 802.
    const rest = this.#hardware.ofText(address, 'hex').slice(2);
    const chosen = `${isMulticast ? '03' : '02'}${rest}`;
    return spellLike(text, isFromMac ? `${chosen.slice(0, 6)}fffe${chosen.slice(6)}` : chosen);
  }

  /** A UUID, with or without dashes, or another identifier of hex digits. */
  ofIdentifier(text: string): string {
    const digits = onlyDigits(text);
    return /^0+$/.test(digits) ? text : spellLike(text, this.#identifiers.ofText(digits, 'hex'));
  }

  ofIpv4(text: string): string {
    return isIPv4(text) ? this.mapOctets(text.split('.').map(Number)).join('.') : text;
  }

  /** Four numbers to four numbers of as many digits. Netmasks, loopback and `0.…` stay. */
  mapOctets(octets: readonly number[]): number[] {
    const [first = 0, second = 0] = octets;
    if (first === 0 || first === 127 || isNetmask(octets)) return [...octets];
    const isPrivate172 = first === 172 && keptOctets(first, second) === 1;
    return octets.map((octet, index) => {
      if (index < keptOctets(first, second)) return octet;
      if (index === 3 && (octet === 0 || octet === 255)) return octet;
      const isAllowed = (number: number) => number <= 255 && isAllowedOctet(number, { index, isPrivate172 });
      return this.#octets.ofNumber(`${octets.slice(0, index).join('.')} ${octet}`, octet, { radix: 10, isAllowed });
    });
  }

  ofIpv6(text: string): string {
    if (!isIPv6(text)) return text;
    const tail = /[\d.]+$/.exec(text)?.[0] ?? '';
    const hasIpv4 = tail.includes('.');
    const groups = (hasIpv4 ? text.slice(0, -tail.length) + ipv4AsGroups(tail) : text).split(':');
    const chosen = this.mapHextets(expand(groups));
    // Groups after `::` are counted from the end.
    const gap = groups.indexOf('', groups[0] === '' ? 1 : 0);
    const spelled = groups.map((group, index) => {
      const place = gap !== -1 && index > gap ? 8 - groups.length + index : index;
      return group === '' ? '' : spellLike(group, (chosen[place] as number).toString(16).padStart(group.length, '0'));
    });
    if (!hasIpv4) return spelled.join(':');
    return [...spelled.slice(0, -2), this.ofIpv4(tail)].join(':');
  }

  /** Eight numbers to eight numbers of as many hex digits. Zeros stay, so that the short form has the same shape. */
  mapHextets(hextets: readonly number[]): number[] {
    const [first = 0] = hextets;
    const isMapped = hextets.slice(0, 5).every((each) => each === 0) && hextets[5] === 0xffff;
    if (isMapped) return [...hextets.slice(0, 6), ...this.#mapIpv4Tail(hextets.slice(6))];
    const isWellKnown = hextets.slice(1, 7).every((each) => each === 0) && (first === 0 || (first & 0xff00) === 0xff00);
    if (isWellKnown) return [...hextets];
    return hextets.map((hextet, index) => {
      const isKept = hextet === 0 || (index === 0 && saysItsKind(first));
      if (isKept) return hextet;
      const key = `${hextets.slice(0, index).join(':')} ${hextet}`;
      return this.#hextets.ofNumber(key, hextet, { radix: 16, isAllowed: (number) => number !== 0 });
    });
  }

  #mapIpv4Tail([high = 0, low = 0]: readonly number[]): number[] {
    const [a = 0, b = 0, c = 0, d = 0] = this.mapOctets([high >> 8, high & 255, low >> 8, low & 255]);
    return [(a << 8) | b, (c << 8) | d];
  }
}

function onlyDigits(text: string): string {
  return text.replace(/[^0-9a-f]/gi, '').toLowerCase();
}

/** Puts hex digits in the places of the hex digits of a text, in its case. */
function spellLike(text: string, digits: string): string {
  const isUpper = /[A-F]/.test(text);
  let next = 0;
  return text.replace(/[0-9a-f]/gi, () => {
    const digit = digits[next++] ?? '0';
    return isUpper ? digit.toUpperCase() : digit;
  });
}

function isNetmask(octets: readonly number[]): boolean {
  return /^1+0*$/.test(octets.map((octet) => octet.toString(2).padStart(8, '0')).join(''));
}

/** Unique local (fc00::/7), link-local and multicast, https://www.iana.org/assignments/ipv6-address-space. */
function saysItsKind(first: number): boolean {
  return first >= 0xfc00;
}

/** How much of an address only says which kind it is, https://www.iana.org/assignments/iana-ipv4-special-registry. */
function keptOctets(first: number, second: number): number {
  if ((first === 192 && second === 168) || (first === 169 && second === 254)) return 2;
  return first === 10 || first >= 224 || (first === 172 && second >= 16 && second < 32) ? 1 : 0;
}

interface OctetPlace {
  readonly index: number;
  readonly isPrivate172: boolean;
}

function isAllowedOctet(number: number, { index, isPrivate172 }: OctetPlace): boolean {
  if (index === 0) return number > 0 && number < 224 && ![10, 127, 169, 172, 192].includes(number);
  if (index === 1 && isPrivate172) return number >= 16 && number < 32;
  return index !== 3 || (number > 0 && number < 255);
}

function ipv4AsGroups(text: string): string {
  const [a = 0, b = 0, c = 0, d = 0] = text.split('.').map(Number);
  return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
}

function expand(groups: readonly string[]): number[] {
  const text = groups.join(':');
  const [before = '', after] = text.split('::');
  const numbers = (part: string) => (part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16)));
  if (after === undefined) return numbers(before);
  const [head, tail] = [numbers(before), numbers(after)];
  return [...head, ...new Array<number>(8 - head.length - tail.length).fill(0), ...tail];
}
