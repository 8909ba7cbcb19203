import { BLOCK, probeTraffic, SPIN } from '../probe/traffic.ts';

/** README.md says what it measures and why. */
export const tcp = probeTraffic({
  name: 'tcp',
  what: 'Messages through a TCP connection over the loopback interface',
  onlyInFull: true,
  ways: { quick: [SPIN, BLOCK], full: [SPIN, BLOCK] },
});
