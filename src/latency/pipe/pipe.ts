import { BLOCK, probeTraffic, SPIN } from '../probe/traffic.ts';

/** README.md says what it measures and why. */
export const pipe = probeTraffic({
  name: 'pipe',
  what: 'Messages through pipes, one way and there and back',
  onlyInFull: true,
  ways: { quick: [SPIN, BLOCK], full: [SPIN, BLOCK] },
});
