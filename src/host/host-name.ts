import { lookup } from 'node:dns/promises';
import { errnoOf, toHostError } from './errno.ts';

/** The address of a host name, IPv4 where it has both; an address as it is. undefined when nobody knows the name. Throws HostError. */
export async function findAddress(name: string): Promise<string | undefined> {
  try {
    return (await lookup(name, { order: 'ipv4first' })).address;
  } catch (error) {
    if (['ENOTFOUND', 'EAI_AGAIN', 'ENODATA'].includes(errnoOf(error) ?? '')) return undefined;
    throw toHostError('look up', name, error);
  }
}
