import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Rate } from '../daemon/rate.ts';

/** What is taken from whoever scrapes. Sizes in bytes, times in ms. */
export const SCRAPE_LIMITS = {
  /** Connections at once: each has one request, and the oldest without one makes room. */
  connections: 8,
  requestBytes: 8 * 1024,
  /** From the connection to the last byte of its answer. */
  connectionMs: 10_000,
} as const;

export interface Page {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

export interface ServedSite {
  readonly address: string;
  /** 0: any that is free. */
  readonly port: number;
  readonly pages: Readonly<Record<string, () => Promise<Page>>>;
  readonly nowMs: () => number;
  readonly onBug: (error: unknown) => void;
}

/** GET and HEAD of a few pages over HTTP, a connection each. No timer runs while nobody is connected. */
export class MetricsServer {
  readonly #site: ServedSite;
  readonly #rate = new Rate();
  /** Oldest first; true when its request is there. */
  readonly #connections = new Map<Socket, boolean>();
  readonly #counts = { answered: 0, refused: 0 };
  #server: Server | undefined;

  private constructor(site: ServedSite) {
    this.#site = site;
  }

  /** Throws what listen(2) gives: EADDRINUSE, EADDRNOTAVAIL, EACCES in `code`. */
  static async open(site: ServedSite): Promise<MetricsServer> {
    const served = new MetricsServer(site);
    await served.#listen();
    return served;
  }

  /** With the port that it got. */
  get url(): string {
    const address = this.#server?.address();
    const port = typeof address === 'object' && address !== null ? address.port : this.#site.port;
    return `http://${this.#site.address.includes(':') ? `[${this.#site.address}]` : this.#site.address}:${port}`;
  }

  get counts(): { readonly answered: number; readonly refused: number } {
    return { ...this.#counts };
  }

  close(): void {
    this.#server?.close();
    for (const socket of this.#connections.keys()) socket.destroy();
  }

  async #listen(): Promise<void> {
    const { createServer } = await import('node:http');
    // Node would look for slow connections every so often, for ever: each has its own deadline instead.
    const server = createServer({ maxHeaderSize: SCRAPE_LIMITS.requestBytes, connectionsCheckingInterval: NEVER_MS });
    server.maxRequestsPerSocket = 1;
    server.on('connection', (socket) => this.#accept(socket));
    server.on('request', (request, response) => void this.#answer(request, response));
    server.on('clientError', (_, socket) => {
      this.#counts.refused++;
      socket.destroy();
    });
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host: this.#site.address, port: this.#site.port }, () => {
        server.removeListener('error', reject);
        // Out of descriptors for a moment: the next connection may come through.
        server.on('error', () => {});
        resolve();
      });
    });
  }

  #accept(socket: Socket): void {
    socket.on('error', () => {});
    this.#makeRoom();
    const isTooMany = this.#connections.size >= SCRAPE_LIMITS.connections;
    if (isTooMany || !this.#rate.take('all', this.#site.nowMs())) {
      this.#refuse(socket);
      return;
    }
    this.#connections.set(socket, false);
    const deadline = setTimeout(() => this.#refuse(socket), SCRAPE_LIMITS.connectionMs);
    socket.once('close', () => {
      clearTimeout(deadline);
      this.#connections.delete(socket);
    });
  }

  #refuse(socket: Socket): void {
    this.#counts.refused++;
    socket.destroy();
  }

  /** Who has not asked anything yet makes room for who comes. */
  #makeRoom(): void {
    if (this.#connections.size < SCRAPE_LIMITS.connections) return;
    const oldest = [...this.#connections].find(([, hasAsked]) => !hasAsked)?.[0];
    if (oldest === undefined) return;
    this.#connections.delete(oldest);
    this.#refuse(oldest);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#connections.set(request.socket, true);
    response.on('error', () => {});
    const { status, type, text } = await this.#find(request);
    if (status === 404 || status === 405) this.#counts.refused++;
    else this.#counts.answered++;
    const body = Buffer.from(text);
    response.writeHead(status, {
      'Content-Type': type,
      'Content-Length': body.length,
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
      ...(status === 405 && { Allow: 'GET, HEAD' }),
      Connection: 'close',
    });
    response.end(request.method === 'HEAD' ? undefined : body);
  }

  async #find({ method, url = '' }: IncomingMessage): Promise<Page> {
    if (method !== 'GET' && method !== 'HEAD') return { status: 405, type: PLAIN, text: 'GET or HEAD.\n' };
    const path = url.split('?', 1)[0] ?? '';
    const page = Object.hasOwn(this.#site.pages, path) ? this.#site.pages[path] : undefined;
    const known = Object.keys(this.#site.pages).join(' or ');
    if (page === undefined) return { status: 404, type: PLAIN, text: `There is ${known}.\n` };
    try {
      return await page();
    } catch (error) {
      this.#site.onBug(error);
      return { status: 500, type: PLAIN, text: 'A bug in hft: see the log of the agent.\n' };
    }
  }
}

const PLAIN = 'text/plain; charset=utf-8';
/** The longest that a timer of Node can be. */
const NEVER_MS = 2 ** 31 - 1;
