import { probeRequests } from '../probe/requests.ts';

/** README.md says what it measures and why. */
export const memcached = probeRequests({
  name: 'memcached',
  what: 'get of a memcached server, there and back',
  questions: [
    { name: 'get', options: {} },
    { name: 'get spin', options: { wait: 'spin' } },
  ],
});
