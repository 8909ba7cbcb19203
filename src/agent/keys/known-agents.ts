import { type AgentAddress, printAddress } from './agent-address.ts';
import { parsePublicKey, printPublicKey } from './key-text.ts';

/** The keys that are pinned for an agent, in the order in which they are tried: two while its key is changed. */
export function pinnedKeys(text: string, address: AgentAddress): readonly string[] {
  const name = printAddress(address);
  return parseLines(text).flatMap((line) => (line.name === name ? [line.key] : []));
}

interface Line {
  readonly name: string;
  readonly key: string;
}

/** Lines `HOST[:PORT] KEY`; what is none pins nothing. */
function parseLines(text: string): readonly Line[] {
  return text.split('\n').flatMap((line) => {
    const [name = '', key = ''] = line.trim().split(/\s+/);
    const publicKey = parsePublicKey(key);
    return name === '' || name.startsWith('#') || publicKey === undefined ? [] : [{ name, key: publicKey }];
  });
}

/** The text with a key more for an agent, tried after those it has; without the others when it is to be the only one. */
export function withPinned(
  text: string,
  address: AgentAddress,
  pin: { readonly key: string; readonly only: boolean },
): string {
  if (!pin.only && pinnedKeys(text, address).includes(pin.key)) return text;
  const name = printAddress(address);
  const kept = pin.only ? text.split('\n').filter((line) => line.trim().split(/\s+/)[0] !== name) : text.split('\n');
  return `${kept.join('\n').replace(/\n*$/, '\n').replace(/^\n$/, '')}${name} ${printPublicKey(pin.key)}\n`;
}

/** The text without any key for an agent. */
export function withoutPinned(text: string, address: AgentAddress): string {
  const name = printAddress(address);
  return text
    .split('\n')
    .filter((line) => line.trim().split(/\s+/)[0] !== name)
    .join('\n');
}
