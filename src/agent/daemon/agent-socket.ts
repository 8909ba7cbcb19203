import { createServer, type Server, type Socket } from 'node:net';
import type { Context, Reply } from 'zeromq';
import type { KeyPair } from '../keys/key-text.ts';
import { LIMITS } from '../protocol/limits.ts';
import { AgentLink, type Arrived, type LinkEnd } from './agent-link.ts';

export interface SocketSite {
  /** `tcp://127.0.0.1:7411`; port 0: any that is free. */
  readonly endpoint: string;
  readonly keys: KeyPair;
  /** Whether a controller may connect; base64url. Asked at every connection. */
  readonly isKnown: (key: string) => boolean;
  readonly onMessage: (arrived: Arrived) => void;
  readonly onMalformed: () => void;
  readonly onUnknownKey: (key: string, address: string) => void;
  /** Somebody who was let in sent without an end, or did not read what it had asked for. */
  readonly onCut: (why: LinkEnd, key: string, address: string) => void;
}

const KEY_BYTES = 32;
const MOST_ATTEMPTS = 20;
const ATTEMPT_PERIOD_MS = 100;

/**
 * Where controllers connect to. One context each: its ZAP handler (https://rfc.zeromq.org/spec/27/) answers for these
 * connections alone, and nobody gets in who has no authorised key or speaks anything but CURVE.
 */
export class AgentSocket {
  readonly #server: Server;
  readonly #context: Context;
  readonly #zap: Reply;
  readonly #site: SocketSite;
  /** By ZAP domain, oldest first; undefined while it is opened. */
  readonly #links = new Map<string, AgentLink | undefined>();
  #accepted = 0;
  #isJudging = true;
  /** With the port that it got. */
  endpoint: string;

  private constructor(site: SocketSite, { context, zap }: { readonly context: Context; readonly zap: Reply }) {
    this.#server = createServer((outer) => void this.#accept(outer));
    this.#context = context;
    this.#zap = zap;
    this.#site = site;
    this.endpoint = site.endpoint;
  }

  /** Throws what listen(2) gives: EADDRINUSE, EADDRNOTAVAIL, EACCES in `code`. */
  static async open(site: SocketSite): Promise<AgentSocket> {
    const zmq = await import('zeromq');
    const context = new zmq.Context();
    const zap = new zmq.Reply({ context, linger: 0 });
    await zap.bind('inproc://zeromq.zap.01');
    const socket = new AgentSocket(site, { context, zap });
    // Closed, it throws; without it nobody gets in any more.
    void socket
      .#judge()
      .catch(() => {})
      .finally(() => {
        socket.#isJudging = false;
      });
    try {
      await socket.#listen();
    } catch (error) {
      socket.close();
      throw error;
    }
    return socket;
  }

  /** A socket that was closed a moment ago may still hold its port. */
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

  /** Controllers can connect. */
  get isOpen(): boolean {
    return this.#server.listening && this.#isJudging;
  }

  get connections(): number {
    return this.#links.size;
  }

  /** What was sent before is on its way. */
  async drain(): Promise<void> {
    await Promise.all([...this.#links.values()].map((link) => link?.drain()));
  }

  close(): void {
    this.#server.close();
    for (const link of this.#links.values()) link?.close();
    this.#zap.close();
  }

  #listen(): Promise<void> {
    const { host = '', port = '' } =
      /^tcp:\/\/\[?(?<host>[^\]]+)\]?:(?<port>\d+)$/.exec(this.#site.endpoint)?.groups ?? {};
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port: Number(port) }, () => {
        this.#server.removeListener('error', reject);
        // Out of descriptors for a moment: the next connection may come through.
        this.#server.on('error', () => {});
        const address = this.#server.address();
        const got = typeof address === 'object' && address !== null ? address.port : port;
        this.endpoint = this.#site.endpoint.replace(/\d+$/, String(got));
        resolve();
      });
    });
  }

  async #accept(outer: Socket): Promise<void> {
    // Before it is a link, and after: an error without a listener would end the process.
    outer.on('error', () => {});
    const id = `hft-${++this.#accepted}`;
    this.#makeRoom();
    if (this.#links.size >= LIMITS.connections) return void outer.destroy();
    this.#links.set(id, undefined);
    const { keys, onMessage, onMalformed, onCut } = this.#site;
    const onEnded = (why: LinkEnd | undefined) => {
      const link = this.#links.get(id);
      this.#links.delete(id);
      if (why !== undefined && link?.key !== undefined) onCut(why, link.key, link.address);
    };
    try {
      const link = await AgentLink.open(outer, id, { context: this.#context, keys, onMessage, onMalformed, onEnded });
      this.#links.set(id, link);
      if (outer.destroyed || !this.#server.listening) link.cut();
    } catch {
      // Closed meanwhile, or no descriptor left: it connects again.
      this.#links.delete(id);
      outer.destroy();
    }
  }

  /** Who has not proven anything yet makes room for who comes. */
  #makeRoom(): void {
    if (this.#links.size < LIMITS.connections) return;
    [...this.#links.values()].find((link) => link !== undefined && link.key === undefined)?.cut();
  }

  /** Somebody who connects again and again keeps nobody else out: its oldest connection goes. */
  #letIn(link: AgentLink, key: string): void {
    link.key = key;
    const own = [...this.#links.values()].filter((each) => each?.key === key);
    if (own.length > LIMITS.connectionsOfOne) own[0]?.cut();
  }

  /** ZAP: version, request, domain, address, identity, mechanism, key. */
  async #judge(): Promise<void> {
    for await (const [version, request, domain, , , mechanism, key] of this.#zap) {
      const text = key?.length === KEY_BYTES ? key.toString('base64url') : '';
      const link = this.#links.get(domain?.toString() ?? '');
      // One peer for each connection: whoever of this host came to its inner end beside it is none.
      const isFirst = link !== undefined && link.key === undefined;
      const isWelcome = isFirst && mechanism?.toString() === 'CURVE' && this.#site.isKnown(text);
      if (isWelcome) this.#letIn(link, text);
      else this.#site.onUnknownKey(text, link?.address ?? '');
      const verdict = isWelcome ? ['200', 'OK', text] : ['400', 'this key is not authorised', ''];
      // Closed meanwhile: nobody waits for the verdict.
      await this.#zap.send([version ?? '1.0', request ?? '', ...verdict, '']).catch(() => {});
    }
  }
}
