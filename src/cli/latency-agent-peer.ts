import { parseAddress } from '../agent/keys/agent-address.ts';
import { isRole, mayAct } from '../agent/keys/roles.ts';
import { RULES } from '../agent/protocol/request.ts';
import type { Hello } from '../agent/protocol/results.ts';
import { HftError, UsageError } from '../errors.ts';
import { findAddress } from '../host/host-name.ts';
import { hostOfAgentPeer } from './agent-peer-name.ts';
import type { MeasuringAgent } from './latency.ts';
import { requireServersAsked, type ServerFlags } from './latency-servers.ts';
import type { NamedHost } from './named-host.ts';
import { openRemote } from './open-host.ts';

/** A host whose agent answers the network probe of this one, while it measures that. */
export interface AgentPeer {
  /** Where it will listen: `10.0.0.7:17707`. */
  readonly place: string;
  /** The same agent, for whose network probe the peer answers from before its start until after its end. */
  answering(agent: MeasuringAgent): MeasuringAgent;
}

interface PeerFlags extends ServerFlags {
  readonly 'peer-cpu'?: number | undefined;
}

/** Whether it would answer is asked before anything is measured. Throws UsageError, and what failures.ts has. */
export async function findAgentPeer(peer: string, flags: PeerFlags): Promise<AgentPeer> {
  requireServersAsked(flags);
  const name = hostOfAgentPeer(peer);
  const host: NamedHost = { name, address: parseAddress(name, '--peer agent://'), keys: [] };
  const hello = await greet(host);
  const address = await findAddress(host.address.host);
  if (address === undefined) throw new UsageError(`--peer: the host ${name} is not known`);
  const port = requirePort(name, hello);
  const cpu = flags['peer-cpu'];
  return {
    // The address at which the agent was reached: it does not say which one is measured.
    place: address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`,
    answering: (agent) => ({
      ...agent,
      probe: (request) =>
        request.probe === 'network'
          ? whileAnswered(host, { durationS: Math.ceil(request.durationMs / 1000), cpu }, () => agent.probe(request))
          : agent.probe(request),
    }),
  };
}

async function greet(host: NamedHost): Promise<Hello> {
  const { control, close } = await openRemote(host);
  try {
    return await control.hello();
  } finally {
    close();
  }
}

/** Throws HftError where it would not answer. */
function requirePort(name: string, { responderPort, role, version }: Hello): number {
  if (responderPort === undefined)
    throw new HftError(`${name}: its agent (hft ${version}) does not answer the network probe.`, {
      exitCode: 3,
      next: [`Bring the hft on ${name} up to date, or run \`hft verify latency --serve --listen ADDRESS\` there.`],
    });
  const { role: needed } = RULES.respond;
  if (isRole(role) && mayAct(role, needed)) return responderPort;
  throw new HftError(`${name}: this controller is a ${role} there: \`respond\` is for ${needed}s.`, {
    exitCode: 3,
    next: ['Who is what is in /etc/hft/authorized_controllers on the host.'],
  });
}

interface Answering {
  readonly durationS: number;
  readonly cpu: number | undefined;
}

/** Nothing listens there before this, and nothing after it. Throws what failures.ts has where it does not come to listen. */
async function whileAnswered<T>(host: NamedHost, { durationS, cpu }: Answering, act: () => Promise<T>): Promise<T> {
  const { control, close } = await openRemote(host);
  const ending = new AbortController();
  const asked = { durationS, ...(cpu !== undefined && { cpu }) };
  let answered: Promise<void> = Promise.resolve();
  try {
    await new Promise<void>((resolve, reject) => {
      const attending = { signal: ending.signal, onListening: () => resolve() };
      answered = control.verifying.respond(asked, attending);
      // Whoever measures notices by itself when it ends later.
      answered.then(() => reject(new HftError(`${host.name}: it ended before it listened.`, { exitCode: 3 })), reject);
    });
    return await act();
  } finally {
    ending.abort();
    await answered.catch(() => {});
    close();
  }
}
