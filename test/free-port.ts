import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';

/** Ports of services begin above these, and below what the kernel hands out by itself. */
const LOWEST = 10_000;

/**
 * A port of 127.0.0.1 that is free for TCP and UDP, to be listened on later, or again after a restart. The kernel gives it to nobody
 * meanwhile: it is below the range from which sockets get a port of their own, so that no connection of another test can take it.
 */
export async function freePort(): Promise<number> {
  const range = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8');
  const end = Math.max(Number.parseInt(range, 10), LOWEST + 1_000);
  for (;;) {
    const port = LOWEST + Math.floor(Math.random() * (end - LOWEST));
    if ((await isFree(port, 'tcp')) && (await isFree(port, 'udp'))) return port;
  }
}

async function isFree(port: number, protocol: 'tcp' | 'udp'): Promise<boolean> {
  const socket = protocol === 'tcp' ? createServer() : createSocket('udp4');
  try {
    if (protocol === 'tcp') (socket as ReturnType<typeof createServer>).listen(port, '127.0.0.1');
    else (socket as ReturnType<typeof createSocket>).bind(port, '127.0.0.1');
    await once(socket, 'listening');
  } catch {
    return false;
  }
  const closed = once(socket, 'close');
  socket.close();
  await closed;
  return true;
}
