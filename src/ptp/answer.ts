import type { VerifyResult, VerifyStatus } from '../engine/verify.ts';

/** One thing that was judged: id, answer, what was expected and found, the evidence. */
export function judged(
  id: string,
  status: VerifyStatus,
  said: Omit<VerifyResult, 'id' | 'domain' | 'status'>,
): VerifyResult {
  return { id: `ptp.${id}`, domain: 'ptp', status, ...said };
}
