import type { Ask, Question } from '../protocol/request.ts';
import type { Work } from './work.ts';

export type Of<Kind extends Ask> = Extract<Question, { ask: Kind }>;

/**
 * What the daemon measures and watches on this host. Each ends with the signal of its work, and leaves nothing behind. Throws
 * HftError for what cannot be, before anything is begun.
 */
export interface VerifyServices {
  latency(request: Of<'verify-latency'>, work: Work): Promise<unknown>;
  ptp(request: Of<'verify-ptp'>, work: Work): Promise<unknown>;
  processes(request: Of<'verify-processes'>, work: Work): Promise<unknown>;
  dpdk(request: Of<'verify-dpdk'>, work: Work): Promise<unknown>;
  respond(request: Of<'respond'>, work: Work): Promise<unknown>;
}
