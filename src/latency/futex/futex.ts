import { BLOCK, probeTraffic, SPIN } from '../probe/traffic.ts';

/** README.md says what it measures and why. */
export const futex = probeTraffic({
  name: 'futex',
  what: 'A message handed from thread to thread, with and without a futex to sleep on',
  onlyInFull: true,
  ways: { quick: [SPIN, BLOCK], full: [SPIN, BLOCK] },
});
