import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, test } from 'vitest';
import { MetricsServer, type Page, SCRAPE_LIMITS } from '../../../../src/agent/metrics/metrics-server.ts';

const opened: { close?(): void; destroy?(): void }[] = [];
afterEach(() => {
  for (const each of opened.splice(0)) (each.close ?? each.destroy)?.call(each);
});

const PAGE: Page = { status: 200, type: 'text/plain', text: 'a 1\n' };

async function open(page: () => Promise<Page> = async () => PAGE, nowMs = () => performance.now()) {
  const bugs: unknown[] = [];
  const server = await MetricsServer.open({
    address: '127.0.0.1',
    port: 0,
    pages: { '/metrics': page, '/healthz': async () => ({ status: 503, type: 'application/json', text: '{}\n' }) },
    nowMs,
    onBug: (error) => bugs.push(error),
  });
  opened.push(server);
  return { server, bugs, port: Number(new URL(server.url).port) };
}

async function connectTo(port: number): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
  socket.on('error', () => {});
  opened.push(socket);
  await once(socket, 'connect');
  return socket;
}

/** All that comes back until the other end closes. */
async function say(port: number, request: string): Promise<string> {
  const socket = await connectTo(port);
  socket.write(request);
  return text(socket).catch(() => '');
}

const request = (line: string, more = '') => `${line} HTTP/1.1\r\nHost: x\r\n${more}\r\n`;

describe('what is answered', () => {
  test('GET and HEAD of the pages, a connection each', async () => {
    const { port } = await open();
    const got = await say(port, request('GET /metrics?x=1').repeat(3));
    expect(got.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(1);
    expect(got).toMatch(/Connection: close\r\n(.*\r\n)*\r\na 1\n$/);
    const head = await say(port, request('HEAD /metrics'));
    expect(head).toMatch(/^HTTP\/1\.1 200 OK\r\n(.*\r\n)*Content-Length: 4\r\n(.*\r\n)*\r\n$/);
    expect(await say(port, request('GET /healthz'))).toMatch(/^HTTP\/1\.1 503 /);
  });

  test.each([
    ['POST /metrics', 405],
    ['DELETE /metrics', 405],
    ['OPTIONS *', 405],
    ['GET /', 404],
    ['GET /metrics/../healthz', 404],
    ['GET /__proto__', 404],
    ['GET //metrics', 404],
  ])('%s: %i', async (line, status) => {
    const { port, server } = await open();
    expect(await say(port, request(line))).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(server.counts).toEqual({ answered: 0, refused: 1 });
  });

  test.each([
    ['no HTTP', '\u0000\u0001\u0002 what\r\n\r\n'],
    ['a header that is too long', request('GET /metrics', `X: ${'x'.repeat(SCRAPE_LIMITS.requestBytes)}\r\n`)],
    ['many headers', request('GET /metrics', 'X: y\r\n'.repeat(SCRAPE_LIMITS.requestBytes / 4))],
    ['two lengths', request('GET /metrics', 'Content-Length: 1\r\nContent-Length: 2\r\n')],
    ['another protocol', 'SSH-2.0-OpenSSH_9.2\r\n\r\n'],
  ])('%s is cut off', async (_, sent) => {
    const { port, server } = await open();
    expect(await say(port, sent)).not.toContain('200 OK');
    expect(server.counts).toEqual({ answered: 0, refused: 1 });
    expect(await say(port, request('GET /metrics'))).toContain('200 OK');
  });

  test('a page that throws is a bug, and the others are there', async () => {
    const { port, bugs } = await open(() => Promise.reject(new Error('why')));
    expect(await say(port, request('GET /metrics'))).toMatch(/^HTTP\/1\.1 500 /);
    expect(bugs).toEqual([new Error('why')]);
    expect(await say(port, request('GET /healthz'))).toContain('503');
  });
});

describe('who loads it', () => {
  test('connections that never ask make room for who does', async () => {
    const { port, server } = await open();
    const slow: Socket[] = [];
    for (let each = 0; each < SCRAPE_LIMITS.connections; each++) slow.push(await connectTo(port));
    for (const socket of slow) socket.write('GET /metrics HTTP/1.1\r\nX');
    const ended = new Promise((resolve) => slow[0]?.once('close', resolve));
    slow[0]?.resume();
    expect(await say(port, request('GET /metrics'))).toContain('200 OK');
    await ended;
    expect(server.counts).toEqual({ answered: 1, refused: 1 });
  });

  test('while as many are answered as may be, others are turned away', async () => {
    let end: (() => void) | undefined;
    const held = new Promise<void>((resolve) => {
      end = resolve;
    });
    let asked = 0;
    const { port } = await open(async () => {
      asked++;
      await held;
      return PAGE;
    });
    const answers = Array.from({ length: SCRAPE_LIMITS.connections }, () => say(port, request('GET /metrics')));
    await expect.poll(() => asked).toBe(SCRAPE_LIMITS.connections);
    expect(await say(port, request('GET /metrics'))).toBe('');
    end?.();
    for (const answer of await Promise.all(answers)) expect(answer).toContain('200 OK');
  });

  test('a flood of connections is refused before anything is read, until time has gone by', async () => {
    let nowMs = 0;
    const { port, server } = await open(
      async () => PAGE,
      () => nowMs,
    );
    while (server.counts.refused === 0) await say(port, request('GET /metrics'));
    const { answered } = server.counts;
    expect(await say(port, request('GET /metrics'))).toBe('');
    expect(server.counts.answered).toBe(answered);
    nowMs = 60_000;
    expect(await say(port, request('GET /metrics'))).toContain('200 OK');
  });

  test('nothing is left of those that are gone', async () => {
    const { port, server } = await open();
    for (let each = 0; each < SCRAPE_LIMITS.connections; each++) (await connectTo(port)).destroy();
    for (let each = 0; each < SCRAPE_LIMITS.connections * 2; each++)
      expect(await say(port, request('GET /metrics'))).toContain('200 OK');
    expect(server.counts.answered).toBe(SCRAPE_LIMITS.connections * 2);
  });
});

test('a port that is taken is said', async () => {
  const { port } = await open();
  const second = MetricsServer.open({ address: '127.0.0.1', port, pages: {}, nowMs: () => 0, onBug: () => {} });
  await expect(second).rejects.toMatchObject({ code: 'EADDRINUSE' });
});
