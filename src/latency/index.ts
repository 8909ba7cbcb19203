import { coreToCore } from './core-to-core/core-to-core.ts';
import { futex } from './futex/futex.ts';
import { jitter } from './jitter/jitter.ts';
import { memcached } from './memcached/memcached.ts';
import { network } from './network/network.ts';
import { pipe } from './pipe/pipe.ts';
import { pipeline } from './pipeline/pipeline.ts';
import type { Probe } from './probe/probe.ts';
import { redis } from './redis/redis.ts';
import { shm } from './shm/shm.ts';
import { tcp } from './tcp/tcp.ts';
import { udp } from './udp/udp.ts';
import { unixSocket } from './unix-socket/unix-socket.ts';
import { wakeup } from './wakeup/wakeup.ts';
import { zeromq } from './zeromq/zeromq.ts';

/** Every probe, in the order in which people see them. A new probe is a folder here and a line in this list. */
export const probes: readonly Probe[] = [
  jitter,
  wakeup,
  coreToCore,
  shm,
  futex,
  pipe,
  unixSocket,
  tcp,
  udp,
  zeromq,
  redis,
  memcached,
  network,
  pipeline,
];
