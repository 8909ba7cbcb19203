import { UsageError } from '../../errors.ts';
import { AGENT_PORT } from './agent-address.ts';

/** `127.0.0.1:7411`, `[::]:7500`: an address of this host, not a name. */
export function parseListen(text: string, usualPort = AGENT_PORT): string {
  const match = /^(?<address>\d+\.\d+\.\d+\.\d+|\[[0-9a-fA-F:]+\])(?::(?<port>\d{1,5}))?$/.exec(text);
  const port = Number(match?.groups?.port ?? usualPort);
  if (match && port < 65_536) return `tcp://${match.groups?.address}:${port}`;
  throw new UsageError(`--listen: expected ADDRESS or ADDRESS:PORT of this host, got ${JSON.stringify(text)}.`, {
    next: [
      '`127.0.0.1` is reached from this host alone, `0.0.0.0` from everywhere: authorised keys get in either way.',
    ],
  });
}
