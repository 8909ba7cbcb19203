import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { pipeline } from 'node:stream';
import type { SshSession } from './session.ts';

export interface Tunnel {
  /** Of 127.0.0.1 here. */
  readonly port: number;
  close(): void;
}

/** A port of this machine's loopback that leads to one of the host's loopback, for as long as the session lasts. */
export async function openTunnel(session: SshSession, remotePort: number): Promise<Tunnel> {
  // Whether sshd forwards at all is known before anybody waits for an answer.
  (await session.dial(remotePort)).destroy();
  const server = createServer((near) => {
    near.on('error', () => {});
    session.dial(remotePort).then(
      (far) => {
        const end = () => {};
        pipeline(near, far, end);
        pipeline(far, near, end);
      },
      () => near.destroy(),
    );
  });
  server.listen({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}
