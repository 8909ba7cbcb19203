import { BLOCK, probeTraffic, SPIN } from '../probe/traffic.ts';

/** README.md says what it measures and why. */
export const udp = probeTraffic({
  name: 'udp',
  what: 'Datagrams over the loopback interface, the lost ones counted',
  onlyInFull: true,
  ways: { quick: [SPIN, BLOCK], full: [SPIN, BLOCK] },
});
