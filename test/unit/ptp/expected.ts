import { type PtpExpectation, UTC_LIMITS } from '../../../src/ptp/expectation.ts';

/** Our own target, and nothing that is allowed for. */
export const STRICT: PtpExpectation = {
  limitNs: 100,
  utcLimits: UTC_LIMITS,
  timescale: 'ptp',
  allowsFreeRunning: false,
  grandmaster: undefined,
  isPrivileged: true,
};
