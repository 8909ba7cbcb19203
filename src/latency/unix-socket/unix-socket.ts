import { BLOCK, probeTraffic, SPIN } from '../probe/traffic.ts';

/** README.md says what it measures and why. */
export const unixSocket = probeTraffic({
  name: 'unix-socket',
  what: 'Messages through a pair of unix stream sockets, one way and there and back',
  ways: { quick: [SPIN, BLOCK], full: [SPIN, BLOCK] },
});
