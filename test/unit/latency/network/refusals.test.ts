import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createConnection, createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../../../free-port.ts';
import { CPUS, compileStrictly, makeFolder } from '../program.ts';
import { follow, start } from '../servers/scripted.ts';
import { forward } from './forwarder.ts';
import { askPeer, MS, runOrComplaint, startProbe, startResponder, type TestResponder, until } from './responder.ts';

/** What both ends say, and do not say, to whom they have no business with. */
const folder = makeFolder();
let program: string;
let responder: TestResponder;
beforeAll(async () => {
  program = compileStrictly(folder.path);
  responder = await startResponder(program);
});
afterAll(async () => {
  await responder.end();
  folder.remove();
});

const GREETING_BYTES = 512;

/** As agents/probes/session.h has it. */
function hello(changes: {
  version?: number;
  transport?: number;
  bytes?: number;
  port?: number;
  magic?: string;
}): Buffer {
  const { version = 1, transport = 0, bytes = 64, port = 9, magic = 'hft-rtt\0' } = changes;
  const greeting = Buffer.alloc(GREETING_BYTES);
  greeting.write(magic, 'latin1');
  for (const [index, word] of [version, transport, bytes, 1, port].entries())
    greeting.writeUInt32LE(word, 8 + 4 * index);
  return greeting;
}

/** All that comes until the other end closes, or for a minute. */
async function say(to: number, words: Buffer): Promise<Buffer> {
  const socket = createConnection(to, '127.0.0.1');
  const heard: Buffer[] = [];
  socket.on('data', (piece) => heard.push(piece as Buffer));
  socket.on('error', () => {});
  socket.write(words);
  const timer = setTimeout(() => socket.destroy(), 60_000);
  await once(socket, 'close');
  clearTimeout(timer);
  return Buffer.concat(heard);
}

const refusalIn = (welcome: Buffer) => ({ version: welcome.readUInt32LE(8), refusal: welcome.readUInt32LE(12) });

describe('the responder', () => {
  test.each([
    ['another version of the protocol', { version: 2 }, 1],
    ['no transport', { transport: 7 }, 3],
    ['messages of no size', { bytes: 0 }, 3],
    ['messages that are too long', { bytes: 1 << 30 }, 3],
    ['half a word', { bytes: 68 }, 3],
    ['no port for datagrams', { port: 0 }, 3],
    ['a port that is none', { port: 65_536 }, 3],
  ])('refuses %s, and says so in as many bytes', async (_, changes, refusal) => {
    const welcome = await say(responder.port, hello(changes));
    expect(welcome).toHaveLength(GREETING_BYTES);
    expect(refusalIn(welcome)).toEqual({ version: 1, refusal });
    // Nothing by which a conversation could be had.
    expect(welcome.subarray(16, 32)).toEqual(Buffer.alloc(16));
  });

  test.each([
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['a greeting of others', hello({ magic: 'hft-rtx\0' })],
  ])('says nothing to %s', async (_, words) => {
    expect(await say(responder.port, words)).toHaveLength(0);
  });

  test('answers no datagram that nobody greeted for, not even one that is well made', async () => {
    const stranger = createSocket('udp4');
    let heard = 0;
    stranger.on('message', () => {
      heard++;
    });
    for (const bytes of [0, 1, 64, 512, 4096]) stranger.send(Buffer.alloc(bytes, 1), responder.port, '127.0.0.1');
    // A whole conversation later it would have been there.
    runOrComplaint(await askPeer(program, responder.address));
    stranger.close();
    expect(heard).toBe(0);
  });

  test('has room for one at a time on each CPU, and says so to the others', async () => {
    const first = startProbe(program, responder.address, ['--duration-ns', `${60_000 * MS}`]);
    const following = follow(first);
    await once(first.stdout, 'data');
    const second = await askPeer(program, responder.address);
    first.kill('SIGTERM');
    await following;
    expect(second.exitCode).toBe(3);
    expect(JSON.parse(second.stderr)).toMatchObject({
      unsupported: `the responder at ${responder.address} is busy: 1 of 1 CPUs are measured with`,
    });
    runOrComplaint(await askPeer(program, responder.address));
  });

  test('lets go of who is silent for too long', async () => {
    const own = await startResponder(program, { more: ['--idle-ns', `${300 * MS}`] });
    const welcome = await say(own.port, hello({}));
    expect(refusalIn(welcome)).toEqual({ version: 1, refusal: 0 });
    await until(() => own.events.length > 1);
    expect(own.events.at(-1)).toMatchObject({ event: 'client', end: 'idle', received: 0 });
    runOrComplaint(await askPeer(program, own.address));
    await own.end();
  });

  test('listens where it was told and nowhere else', async () => {
    const elsewhere = createConnection(responder.port, '127.0.0.2');
    const [error] = (await once(elsewhere, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNREFUSED');
  });

  test.each([
    ['a port that is taken', () => responder.address, 'is in use'],
    ['an address of others', () => '192.0.2.1:17707', 'is no address of this host'],
  ])('refuses %s', async (_, place, message) => {
    const [host, port] = place().split(':') as [string, string];
    const own = await startResponder(program, { host, port: Number(port) });
    expect(own.child.exitCode).toBe(3);
    expect(JSON.parse(own.said()).unsupported).toContain(message);
  });

  test.each([['0.0.0.0'], ['localhost:1'], ['unix:/tmp/x'], ['1.2.3.4:0']])(
    'wants an address and a port, not %s',
    async (text) => {
      const ended = await follow(start(program, ['serve', '--cpus', `${CPUS[0]}`, '--listen', text]));
      expect(ended.exitCode).toBe(2);
    },
  );
});

/** Something that listens and is no responder: what it says to a greeting. */
async function impostor(answer: (socket: Socket) => void) {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => answer(socket));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  return { address: `127.0.0.1:${port}`, close: () => server.close() };
}

describe('the probe says what is there instead', () => {
  test('nobody', async () => {
    const address = `127.0.0.1:${await freePort()}`;
    const { exitCode, stderr } = await askPeer(program, address);
    expect(exitCode).toBe(3);
    expect(JSON.parse(stderr)).toEqual({
      unsupported: `nobody listens at ${address}: Connection refused`,
      need: 'a responder at the other end: hft verify latency --serve --listen ADDRESS',
    });
  });

  test.each<[string, (socket: Socket) => void, string]>([
    ['something else', (socket) => socket.end(Buffer.alloc(GREETING_BYTES, 65)), 'is no responder of hft'],
    ['who closes', (socket) => socket.end(), 'closes the connection at once'],
    [
      'another version',
      (socket) => {
        const welcome = Buffer.alloc(GREETING_BYTES);
        welcome.write('hft-rtt\0', 'latin1');
        welcome.writeUInt32LE(9, 8);
        socket.end(welcome);
      },
      'speaks version 9 of the protocol, this end 1',
    ],
  ])('%s', async (_, answer, message) => {
    const other = await impostor(answer);
    const { exitCode, stderr } = await askPeer(program, other.address);
    other.close();
    expect(exitCode).toBe(3);
    expect(JSON.parse(stderr).unsupported).toContain(message);
  });

  test('nobody who answers: a firewall lets the connection pass and no greeting', async () => {
    const other = await impostor(() => {});
    const { exitCode, stderr } = await askPeer(program, other.address);
    other.close();
    expect(exitCode).toBe(3);
    expect(JSON.parse(stderr).unsupported).toContain('says nothing');
  });

  test('a firewall that lets TCP pass and no datagrams', async () => {
    const forwarder = await forward(responder.port, { there: () => {} });
    const { exitCode, stderr } = await askPeer(program, forwarder.address);
    forwarder.close();
    expect(exitCode).toBe(3);
    const said = JSON.parse(stderr) as { unsupported: string; need: string };
    expect(said.unsupported).toMatch(/is there over TCP, and none of \d+ datagrams came back/);
    expect(said.need).toContain('a firewall that lets UDP of that port pass');
  });
});
