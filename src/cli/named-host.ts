import { AGENT_PORT, type AgentAddress, parseAddress, printAddress } from '../agent/keys/agent-address.ts';
import type { HostFlags } from './host-flag.ts';

/** A host that is asked through its agent. */
export interface NamedHost {
  /** As it was given, or as the inventory has it. */
  readonly name: string;
  readonly address: AgentAddress;
  /** The keys that its agent may have, from the inventory; empty: known_agents has them. */
  readonly keys: readonly string[];
}

/** What the flags say: this machine, one host, or many, whose answers come together. */
export type ChosenHosts =
  | { readonly is: 'one'; readonly host: NamedHost | undefined }
  | { readonly is: 'many'; readonly hosts: readonly NamedHost[]; readonly forks: number };

/** Reads the inventory where one is named. Throws UsageError, and ProfileError with its place. */
export async function chooseHosts({ host, inventory, limit, forks = 1 }: HostFlags): Promise<ChosenHosts> {
  if (inventory !== undefined) return { is: 'many', hosts: await readHosts(inventory, limit), forks };
  const hosts = [...new Set(host ?? [])].map(toNamedHost);
  return hosts.length > 1 ? { is: 'many', hosts, forks } : { is: 'one', host: hosts[0] };
}

export function toNamedHost(name: string): NamedHost {
  return { name, address: parseAddress(name, '--host'), keys: [] };
}

/** What the errors of the connection call it. */
export function addressOf({ address }: NamedHost): string {
  return printAddress(address);
}

async function readHosts(files: readonly string[], limit: string | undefined): Promise<readonly NamedHost[]> {
  const { requirePublicKey } = await import('../agent/keys/key-text.ts');
  const { agentOfHost } = await import('../fleet/inventory/target.ts');
  const { inventory, names } = await readInventory(files, limit);
  return names.map((name) => {
    const { address, port = AGENT_PORT, keys } = agentOfHost(inventory, name);
    return {
      name,
      address: { host: address, port },
      keys: keys.map((key) => requirePublicKey(key, `${name}: hft_agent_key`)),
    };
  });
}

/** The inventory, and the hosts of it that the limit leaves. Throws UsageError, and ProfileError with its place. */
export async function readInventory(files: readonly string[], limit: string | undefined) {
  const { LocalHost } = await import('../host/local.ts');
  const { loadInventory } = await import('../fleet/inventory/load.ts');
  const { limitHosts } = await import('../fleet/inventory/limit.ts');
  const reader = new LocalHost();
  const inventory = await loadInventory(reader, files);
  const pattern = limit?.startsWith('@') ? await readLimit(reader, limit.slice(1)) : limit;
  return { inventory, names: limitHosts(inventory, pattern) };
}

/** `@FILE`: patterns, one a line, as Ansible writes those of hosts that failed. */
async function readLimit(
  reader: { readText(path: string): Promise<string | undefined> },
  file: string,
): Promise<string> {
  const text = await reader.readText(file);
  if (text !== undefined)
    return text
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '')
      .join(',');
  const { UsageError } = await import('../errors.ts');
  throw new UsageError(`--limit: there is no file ${file}.`);
}
