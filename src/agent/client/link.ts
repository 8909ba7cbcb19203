import { lookup } from 'node:dns/promises';
import { connect } from 'node:net';
import type { Context, Dealer, Event } from 'zeromq';
import type { AgentAddress } from '../keys/agent-address.ts';
import { type KeyPair, toZ85 } from '../keys/key-text.ts';
import { LIMITS } from '../protocol/limits.ts';

/** How an attempt to connect went. `open`: CURVE has proven both ends to each other. */
export type Linked =
  | { readonly is: 'open'; readonly socket: Dealer }
  | { readonly is: 'unreachable'; readonly reason: string }
  /** It closed the connection during CURVE's handshake: it does not have the key, or is no agent. */
  | { readonly is: 'wrong-key' }
  /** It has the key, and does not want this controller's. */
  | { readonly is: 'refused' };

export interface LinkRequest {
  readonly context: Context;
  readonly address: AgentAddress;
  /** This controller's pair. */
  readonly keys: KeyPair;
  /** The key that the agent must have. */
  readonly serverKey: string;
  readonly withinMs: number;
}

/** Somebody who says nothing for that long is gone, whatever TCP thinks. */
const HEARTBEAT_MS = 5_000;

/** One attempt. The socket is closed unless it is open. */
export async function link(request: LinkRequest): Promise<Linked> {
  const { address, context, keys, serverKey, withinMs } = request;
  const endpoint = await resolve(address);
  if (endpoint === undefined) return { is: 'unreachable', reason: 'there is no host of this name' };
  const { Dealer } = await import('zeromq');
  const socket = new Dealer({
    context,
    curvePublicKey: toZ85(keys.publicKey),
    curveSecretKey: toZ85(keys.secretKey),
    curveServerKey: toZ85(serverKey),
    ipv6: endpoint.includes('['),
    linger: 0,
    immediate: true,
    maxMessageSize: LIMITS.answerBytes,
    receiveHighWaterMark: 64,
    sendTimeout: withinMs,
    handshakeInterval: withinMs,
    heartbeatInterval: HEARTBEAT_MS,
    heartbeatTimeout: 3 * HEARTBEAT_MS,
  });
  const ended = watchHandshake(socket, withinMs);
  socket.connect(endpoint);
  const linked = await ended;
  if (linked !== 'open') socket.close();
  if (linked === 'open') return { is: 'open', socket };
  if (linked === 'late') return { is: 'unreachable', reason: await whyUnreachable(address, withinMs) };
  return { is: linked };
}

async function resolve({ host, port }: AgentAddress): Promise<string | undefined> {
  try {
    const { address, family } = await lookup(host);
    return family === 6 ? `tcp://[${address}]:${port}` : `tcp://${address}:${port}`;
  } catch {
    return undefined;
  }
}

type Ended = 'open' | 'wrong-key' | 'refused' | 'late';

/** The first event that settles it. A refused connection is tried again by ZeroMQ for ever: one refusal is enough here. */
function watchHandshake(socket: Dealer, withinMs: number): Promise<Ended> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve('late'), withinMs);
    const settle = (ended: Ended) => {
      clearTimeout(timer);
      resolve(ended);
    };
    const endings: Partial<Record<Event['type'], Ended>> = {
      handshake: 'open',
      'handshake:error:auth': 'refused',
      'handshake:error:other': 'wrong-key',
      'handshake:error:protocol': 'wrong-key',
      'connect:retry': 'late',
    };
    for (const [type, ended] of Object.entries(endings)) socket.events.on(type as 'handshake', () => settle(ended));
  });
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  EHOSTUNREACH: 'no route to it',
  ENETUNREACH: 'no route to its network',
  EACCES: 'a firewall here refuses it',
  EPERM: 'a firewall here refuses it',
};

/** ZeroMQ does not say why a connection fails: TCP alone does. */
function whyUnreachable({ host, port }: AgentAddress, withinMs: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: withinMs });
    const settle = (reason: string) => {
      socket.destroy();
      resolve(reason);
    };
    socket.once('connect', () => settle('something listens there, and does not answer as an agent does'));
    socket.once('timeout', () => settle(`no answer within ${withinMs / 1_000} s`));
    socket.once('error', (error: NodeJS.ErrnoException) => settle(REASONS[error.code ?? ''] ?? `${error.code}`));
  });
}
