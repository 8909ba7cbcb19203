import { probeRequests } from '../probe/requests.ts';

/** README.md says what it measures and why. */
export const redis = probeRequests({
  name: 'redis',
  what: 'GET, SET and pipelined GET of a Redis or Valkey server, there and back',
  questions: [
    { name: 'get', options: { command: 'get' } },
    { name: 'get spin', options: { command: 'get', wait: 'spin' } },
    { name: 'set', options: { command: 'set' } },
    { name: 'get 16 a write', options: { command: 'get', pipeline: 16 } },
  ],
});
