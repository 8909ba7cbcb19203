import type { Reply, Router } from 'zeromq';
import { type KeyPair, toZ85 } from '../keys/key-text.ts';
import { SUM_BYTES } from '../keys/seal.ts';
import { LIMITS } from '../protocol/limits.ts';

/** A message of a peer that CURVE let in. Who of those it is, its seal proves or not. */
export interface Arrived {
  /** Of this connection: the answer goes there. */
  readonly peer: Buffer;
  /** base64url. */
  readonly sender: string;
  readonly sum: Buffer;
  readonly body: Buffer;
}

export interface SocketSite {
  /** `tcp://127.0.0.1:7411`; port 0: any that is free. */
  readonly endpoint: string;
  readonly keys: KeyPair;
  /** Whether a controller may connect; base64url. Asked at every connection. */
  readonly isKnown: (key: string) => boolean;
  readonly onMalformed: () => void;
  readonly onUnknownKey: (key: string, address: string) => void;
}

const KEY_BYTES = 32;
/** What is on its way to a slow controller, in messages; more is dropped, and asked for again. */
const QUEUED = 64;
/** A peer that connects and says nothing is cut off. */
const HANDSHAKE_MS = 5_000;
const LINGER_MS = 1_000;
const MOST_ATTEMPTS = 20;
const ATTEMPT_PERIOD_MS = 100;

/**
 * Where controllers connect to. One context each: its ZAP handler (https://rfc.zeromq.org/spec/27/) answers for this
 * socket alone, and nobody gets in who has no authorised key or speaks anything but CURVE.
 */
export class AgentSocket {
  readonly #router: Router;
  readonly #zap: Reply;
  readonly #site: SocketSite;
  #sending: Promise<void> = Promise.resolve();
  /** With the port that it got. */
  endpoint: string;

  private constructor(router: Router, zap: Reply, site: SocketSite) {
    this.#router = router;
    this.#zap = zap;
    this.#site = site;
    this.endpoint = site.endpoint;
  }

  /** Throws what zeromq throws (EADDRINUSE, EADDRNOTAVAIL, EACCES). */
  static async open(site: SocketSite): Promise<AgentSocket> {
    const zmq = await import('zeromq');
    const context = new zmq.Context();
    const zap = new zmq.Reply({ context, linger: 0 });
    await zap.bind('inproc://zeromq.zap.01');
    const router = new zmq.Router({
      context,
      curveServer: true,
      curveSecretKey: toZ85(site.keys.secretKey),
      curvePublicKey: toZ85(site.keys.publicKey),
      zapDomain: 'hft',
      zapEnforceDomain: true,
      mandatory: true,
      ipv6: site.endpoint.includes('['),
      linger: LINGER_MS,
      maxMessageSize: LIMITS.requestBytes,
      receiveHighWaterMark: QUEUED,
      sendHighWaterMark: QUEUED,
      sendTimeout: 0,
      handshakeInterval: HANDSHAKE_MS,
      tcpKeepalive: 1,
      tcpKeepaliveIdle: 60,
    });
    const socket = new AgentSocket(router, zap, site);
    void socket.#judge();
    try {
      await router.bind(site.endpoint);
      socket.endpoint = router.lastEndpoint ?? site.endpoint;
    } catch (error) {
      socket.close();
      throw error;
    }
    return socket;
  }

  /** A socket that was closed a moment ago still holds its port until ZeroMQ's own thread comes to it. */
  static async openWhenFree(site: SocketSite): Promise<AgentSocket> {
    for (let attempts = 1; ; attempts++) {
      try {
        return await AgentSocket.open(site);
      } catch (error) {
        const isTaken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
        if (!isTaken || attempts === MOST_ATTEMPTS) throw error;
        await new Promise((resolve) => setTimeout(resolve, ATTEMPT_PERIOD_MS));
      }
    }
  }

  /** Ends when the socket is closed. */
  async *messages(): AsyncGenerator<Arrived> {
    for await (const frames of this.#router) {
      const arrived = readFrames(frames);
      if (arrived === undefined) this.#site.onMalformed();
      else yield arrived;
    }
  }

  /** Dropped where the peer is gone or reads too slowly: whoever wants it asks again. */
  send(peer: Buffer, body: Buffer): void {
    this.#sending = this.#sending.then(async () => {
      try {
        await this.#router.send([peer, body]);
      } catch {
        // EHOSTUNREACH, EAGAIN, and a socket that was closed: there is nobody to tell.
      }
    });
  }

  /** What was sent before is on its way. */
  async drain(): Promise<void> {
    await this.#sending;
  }

  close(): void {
    this.#router.close();
    this.#zap.close();
  }

  /** ZAP: version, request, domain, address, identity, mechanism, key. */
  async #judge(): Promise<void> {
    for await (const [version, request, , address, , mechanism, key] of this.#zap) {
      const text = key?.length === KEY_BYTES ? key.toString('base64url') : '';
      const isWelcome = mechanism?.toString() === 'CURVE' && this.#site.isKnown(text);
      if (!isWelcome) this.#site.onUnknownKey(text, address?.toString() ?? '');
      const verdict = isWelcome ? ['200', 'OK', text] : ['400', 'this key is not authorised', ''];
      // Closed meanwhile: nobody waits for the verdict.
      await this.#zap.send([version ?? '1.0', request ?? '', ...verdict, '']).catch(() => {});
    }
  }
}

/** Peer, proof (key and sum), body. */
function readFrames(frames: readonly Buffer[]): Arrived | undefined {
  const [peer, proof, body] = frames;
  if (frames.length !== 3 || peer === undefined || body === undefined) return undefined;
  if (proof?.length !== KEY_BYTES + SUM_BYTES) return undefined;
  return { peer, sender: proof.toString('base64url', 0, KEY_BYTES), sum: proof.subarray(KEY_BYTES), body };
}
