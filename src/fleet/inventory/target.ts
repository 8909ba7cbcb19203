import { UsageError } from '../../errors.ts';
import type { Inventory } from './inventory.ts';
import type { Value } from './python-literal.ts';

/** Where the agent of a host of an inventory is. */
export interface AgentOfHost {
  /** As the inventory has it. */
  readonly name: string;
  readonly address: string;
  /** undefined: the usual one. */
  readonly port: number | undefined;
  /** `hftpub_…`, what the agent must have, two while it is changed; empty: known_agents says it. */
  readonly keys: readonly string[];
}

/**
 * The agent of a host by its variables: `hft_agent_host`, else `ansible_host`, else its name; `hft_agent_port`; `hft_agent_key`, one or a list.
 * Throws UsageError for a value that is none.
 */
export function agentOfHost(inventory: Inventory, name: string): AgentOfHost {
  const vars = inventory.varsOf(name);
  const read = <T>(variable: string, parse: (value: Value) => T | undefined, expected: string): T | undefined => {
    const value = vars.get(variable);
    if (value === undefined || value === null || value === '') return undefined;
    if (typeof value === 'string' && value.includes('{{'))
      throw new UsageError(`${name}: ${variable}: templates are not read here: ${value}.`, {
        next: ['Write the value itself, or give the host another variable for hft (`hft_agent_host`).'],
      });
    const parsed = parse(value);
    if (parsed !== undefined) return parsed;
    throw new UsageError(`${name}: ${variable}: expected ${expected}, got ${show(value)}.`);
  };
  const address = read('hft_agent_host', toAddress, ADDRESS) ?? read('ansible_host', toAddress, ADDRESS) ?? name;
  const port = read('hft_agent_port', toPort, 'a port, 1 to 65535');
  const keys = read('hft_agent_key', toKeys, 'a public key (hftpub_…), or a list of them') ?? [];
  return { name, address, port, keys };
}

/** A secret key is not shown. */
function show(value: Value): string {
  const text = JSON.stringify(value);
  return text.includes('hftkey_') ? 'a secret key' : text;
}

const ADDRESS = 'the name or address of a host';

function toAddress(value: Value): string | undefined {
  return typeof value === 'string' && /^[A-Za-z0-9][A-Za-z0-9._:-]*$|^::?[0-9a-fA-F:.]*$/.test(value)
    ? value
    : undefined;
}

function toPort(value: Value): number | undefined {
  const port = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
  return typeof port === 'number' && Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined;
}

function toKeys(value: Value): readonly string[] | undefined {
  const keys = Array.isArray(value) ? value : [value];
  return keys.length > 0 && keys.every((key) => typeof key === 'string' && key.startsWith('hftpub_'))
    ? keys
    : undefined;
}
