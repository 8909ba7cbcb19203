import { randomUUID } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import type { Context, Dealer } from 'zeromq';
import { type KeyPair, toZ85 } from '../keys/key-text.ts';
import { SUM_BYTES } from '../keys/seal.ts';
import { LIMITS } from '../protocol/limits.ts';

/** Where an answer goes: the connection that the request came on. */
export interface Peer {
  /** Dropped where the peer is gone or reads too slowly: whoever wants it asks again. */
  send(body: Buffer): void;
  /** Of the other end, and of this one: where it was reached. */
  readonly address: string;
  readonly localAddress: string;
  /** The connection is there, and who waits at its end lives: ZeroMQ says so every few seconds. */
  isThere(): boolean;
}

/** A message of a peer that CURVE let in. Who of those it is, its seal proves or not. */
export interface Arrived {
  readonly peer: Peer;
  /** base64url. */
  readonly sender: string;
  readonly sum: Buffer;
  readonly body: Buffer;
}

export interface LinkSite {
  readonly context: Context;
  readonly keys: KeyPair;
  /** Without a proof of who sent it, or in another number of frames. */
  readonly onMalformed: () => void;
  readonly onMessage: (arrived: Arrived) => void;
  readonly onEnded: (why: LinkEnd | undefined) => void;
}

/** Why a link was cut, but for the peer's own leave. */
export type LinkEnd = 'flooded' | 'slow';

const KEY_BYTES = 32;
/** What is on its way to a slow controller, in messages. */
const QUEUED = 64;
/** A peer that connects and says nothing is cut off. */
const HANDSHAKE_MS = 5_000;
const LINGER_MS = 1_000;
/** Proof, frames and what CURVE and ZMTP add to them, with the greeting; the rest is a margin. */
const OVERHEAD_BYTES = 16 * 1024;
/** A message that is whole is taken within that time, on a busy machine too. */
const STUCK_MS = 5_000;
const KEEPALIVE_MS = 60_000;

/**
 * One TCP connection and the ZeroMQ socket that is behind it alone. ZeroMQ bounds a frame and not the frames of a message: it keeps
 * them all until the last has come. So bytes pass through here, and no more than one request has are passed on before a message has come
 * out of it; who goes on after that is cut off, and nobody else.
 */
export class AgentLink implements Peer {
  readonly address: string;
  readonly localAddress: string;
  /** Of the controller, once CURVE and ZAP have let it in; base64url. */
  key: string | undefined;
  readonly #outer: Socket;
  readonly #inner: Socket;
  readonly #dealer: Dealer;
  readonly #site: LinkSite;
  #undelivered = 0;
  #unsent = 0;
  #heardMs = performance.now();
  #stuck: NodeJS.Timeout | undefined;
  #sending: Promise<void> = Promise.resolve();
  #isEnded = false;

  private constructor(outer: Socket, behind: { inner: Socket; dealer: Dealer }, site: LinkSite) {
    this.address = plainAddress(outer.remoteAddress);
    this.localAddress = plainAddress(outer.localAddress);
    this.#outer = outer;
    this.#inner = behind.inner;
    this.#dealer = behind.dealer;
    this.#site = site;
    this.#passOn();
    void this.#listen().catch(() => this.cut());
  }

  /** `id` is the ZAP domain of this connection. Throws what zeromq throws. */
  static async open(outer: Socket, id: string, site: LinkSite): Promise<AgentLink> {
    outer.setNoDelay(true).setKeepAlive(true, KEEPALIVE_MS);
    const { Dealer } = await import('zeromq');
    const dealer = new Dealer({
      context: site.context,
      curveServer: true,
      curveSecretKey: toZ85(site.keys.secretKey),
      curvePublicKey: toZ85(site.keys.publicKey),
      zapDomain: id,
      zapEnforceDomain: true,
      linger: LINGER_MS,
      maxMessageSize: LIMITS.requestBytes,
      receiveHighWaterMark: QUEUED,
      sendHighWaterMark: QUEUED,
      sendTimeout: 0,
      handshakeInterval: HANDSHAKE_MS,
    });
    // A name of the kernel's own, gone with the socket: no file, and no port that somebody else could take.
    const name = `hft-agent-${randomUUID()}`;
    try {
      await dealer.bind(`ipc://@${name}`);
      return new AgentLink(outer, { inner: await connectTo(`\0${name}`), dealer }, site);
    } catch (error) {
      dealer.close();
      throw error;
    }
  }

  send(body: Buffer): void {
    if (this.#isEnded) return;
    this.#unsent += body.length;
    if (this.#unsent > LIMITS.unsentBytes) {
      this.cut('slow');
      return;
    }
    this.#sending = this.#sending.then(async () => {
      try {
        await this.#dealer.send(body);
      } catch {
        // EAGAIN, and a socket that was closed: there is nobody to tell.
        this.#countSent(body.length);
      }
    });
  }

  isThere(): boolean {
    return !this.#isEnded && performance.now() - this.#heardMs < LIMITS.silentS * 1_000;
  }

  /** What was sent before is on its way. */
  async drain(): Promise<void> {
    await this.#sending;
  }

  /** What is on its way still goes out. */
  close(): void {
    this.#dealer.close();
    setTimeout(() => this.cut(), LINGER_MS).unref();
  }

  cut(why?: LinkEnd): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    clearTimeout(this.#stuck);
    this.#outer.destroy();
    this.#inner.destroy();
    this.#dealer.close();
    this.#site.onEnded(why);
  }

  #passOn(): void {
    const [outer, inner] = [this.#outer, this.#inner];
    outer.on('data', (bytes: Buffer) => {
      this.#heardMs = performance.now();
      this.#undelivered += bytes.length;
      if (!inner.write(bytes)) outer.pause();
      if (this.#undelivered > LIMITS.requestBytes + OVERHEAD_BYTES) this.#hold();
    });
    inner.on('drain', () => {
      if (this.#stuck === undefined) outer.resume();
    });
    inner.on('data', (bytes: Buffer) => {
      this.#countSent(bytes.length);
      if (!outer.write(bytes)) inner.pause();
    });
    outer.on('drain', () => inner.resume());
    outer.on('close', () => this.cut()).on('error', () => this.cut());
    // The ZeroMQ socket ended it: what it sent last is in the other one already, and goes out if the peer reads.
    inner.on('end', () => {
      outer.destroySoon();
      setTimeout(() => this.cut(), LINGER_MS).unref();
    });
    inner.on('error', () => this.cut());
  }

  #countSent(bytes: number): void {
    this.#unsent = Math.max(0, this.#unsent - bytes);
  }

  /** Nothing more is read until a message comes out. */
  #hold(): void {
    this.#outer.pause();
    this.#stuck ??= setTimeout(() => this.cut('flooded'), STUCK_MS);
  }

  async #listen(): Promise<void> {
    while (!this.#isEnded && !this.#dealer.closed) {
      const frames = await this.#receive();
      if (frames === undefined) continue;
      this.#undelivered = 0;
      clearTimeout(this.#stuck);
      this.#stuck = undefined;
      this.#outer.resume();
      const arrived = this.#read(frames);
      if (arrived === undefined) this.#site.onMalformed();
      else this.#site.onMessage(arrived);
    }
  }

  /** undefined: it was woken up for nothing, as when a pipe ends, or closed meanwhile. */
  async #receive(): Promise<readonly Buffer[] | undefined> {
    try {
      return await this.#dealer.receive();
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EAGAIN') return undefined;
      throw error;
    }
  }

  /** Proof (key and sum), body. */
  #read(frames: readonly Buffer[]): Arrived | undefined {
    const [proof, body] = frames;
    if (frames.length !== 2 || body === undefined || proof?.length !== KEY_BYTES + SUM_BYTES) return undefined;
    return {
      peer: this,
      sender: proof.toString('base64url', 0, KEY_BYTES),
      sum: proof.subarray(KEY_BYTES),
      body,
    };
  }
}

/** `::ffff:10.0.0.7` is what a socket for both families calls 10.0.0.7. */
function plainAddress(address: string | undefined): string {
  return (address ?? '').replace(/^::ffff:(?=\d+\.)/, '');
}

function connectTo(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path });
    socket.once('connect', () => {
      socket.removeListener('error', reject);
      resolve(socket);
    });
    socket.once('error', reject);
  });
}
