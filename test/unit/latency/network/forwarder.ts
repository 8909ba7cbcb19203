import { createSocket, type Socket as Datagrams } from 'node:dgram';
import { once } from 'node:events';
import { createConnection, createServer, type Socket } from 'node:net';

/**
 * Stands between a probe and a responder, and does to each datagram what a network may do: late, lost, twice, out of order. It gives the
 * responder a port of its own for datagrams, which is in the probe's greeting. Over TCP it only forwards.
 */
export interface Forwarder {
  readonly address: string;
  readonly counted: { there: number; back: number };
  close(): void;
}

/** `index` counts the datagrams of one direction from 0. `pass` may be called never, later, or more than once. */
export type Treatment = (index: number, pass: (changed?: Buffer) => void, message: Buffer) => void;

export interface Treatments {
  readonly there?: Treatment;
  readonly back?: Treatment;
  /** Of the bytes of a connection. */
  readonly stream?: (piece: Buffer, pass: (piece: Buffer) => void) => void;
}

/** Where the greeting has the port of the probe's datagrams (agents/probes/session.h). */
const PORT_AT = 24;

const atOnce: Treatment = (_, pass) => pass();

export async function forward(to: number, { there = atOnce, back = atOnce, stream }: Treatments): Promise<Forwarder> {
  const counted = { there: 0, back: 0 };
  const sockets = new Set<Socket>();
  const [near, far] = [createSocket('udp4'), createSocket('udp4')];
  let probePort = 0;
  await bind(far, 0);
  const server = createServer((socket) => {
    const onward = createConnection(to, '127.0.0.1');
    let isGreeted = false;
    for (const each of [socket, onward]) {
      sockets.add(each);
      each.setNoDelay(true);
      each.on('error', () => {});
    }
    socket.on('data', (piece) => {
      const bytes = piece as Buffer;
      if (!isGreeted && bytes.readUInt32LE(PORT_AT) !== 0) {
        probePort = bytes.readUInt32LE(PORT_AT);
        bytes.writeUInt32LE(far.address().port, PORT_AT);
      }
      isGreeted = true;
      if (stream === undefined) onward.write(bytes);
      else stream(bytes, (passed) => onward.write(passed));
    });
    onward.on('data', (piece) => socket.write(piece as Buffer));
    socket.on('close', () => onward.destroy());
    onward.on('close', () => socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  await bind(near, port);
  near.on('message', (message) => there(counted.there++, (it = message) => far.send(it, to, '127.0.0.1'), message));
  far.on('message', (message) =>
    back(counted.back++, (it = message) => near.send(it, probePort, '127.0.0.1'), message),
  );
  const close = () => {
    server.close();
    near.close();
    far.close();
    for (const socket of sockets) socket.destroy();
  };
  return { address: `127.0.0.1:${port}`, counted, close };
}

async function bind(socket: Datagrams, port: number): Promise<void> {
  socket.bind(port, '127.0.0.1');
  await once(socket, 'listening');
}
