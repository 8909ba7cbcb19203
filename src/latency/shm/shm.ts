import { probeTraffic, type Way } from '../probe/traffic.ts';

const way = (wait: 'spin' | 'block', pages: '4k' | '2m'): Way => ({
  name: `${wait} ${pages} pages`,
  options: { wait, pages },
});

/** README.md says what it measures and why. */
export const shm = probeTraffic({
  name: 'shm',
  what: 'Messages through rings in shared memory, one way and there and back',
  ways: { quick: [way('spin', '4k')], full: [way('spin', '4k'), way('spin', '2m'), way('block', '4k')] },
});
