import { describe, expect, test } from 'vitest';
import { judgeTime } from '../../../src/cli/launch-gate.ts';
import { captured, looks, READING } from './looks.ts';

describe('the gate of hft launch', () => {
  test('lets processes start on a host whose time verifies, 100 us being enough', () => {
    expect(judgeTime('box', looks(), {})).toBeUndefined();
    expect(
      judgeTime(
        'box',
        looks((look) => ({ offsetNs: 20_000 + look })),
        {},
      ),
    ).toBeUndefined();
  });

  test.each([
    ['a Sync that has stopped', looks(() => ({ ingressTimeNs: 5n })), 'ptp.sync@'],
    ['a daemon that does not answer', looks(() => ({ problem: 'no answer' })), 'no answer'],
    ['no daemon at all', looks(undefined, { clocks: [], daemons: [] }), 'does not verify'],
    ['an offset beyond the limit', looks(() => ({ offsetNs: 200_000 })), 'ptp.limit@'],
  ])('keeps them back at %s, and says which', (_, seen, said) => {
    expect(judgeTime('box', seen, {})).toContain(said);
  });

  test('takes the limit of the profile', () => {
    const far = looks(() => ({ offsetNs: 400_000 }));
    expect(judgeTime('box', far, { limit: 1_000_000 })).toBeUndefined();
    expect(judgeTime('box', far, { limit: 100_000 })).toContain('ptp.limit@ens1f0/internal');
    // 12 ns of the host are within, and 100 ns of the grandmaster are not.
    expect(judgeTime('box', looks(), { limit: 120 })).toContain('ptp.limit@ens1f0/profile (ptp.limit of the profile');
  });

  test('takes a grandmaster with a time of its own where the profile has one, when the clock follows it', () => {
    const time = { utcOffsetS: 0, isUtcOffsetValid: false, isPtpTimescale: false, isTraceable: false, leap: undefined };
    const grandmaster = { ...captured.grandmaster, class: 248, accuracy: 0xfe };
    const own = (changed: object = {}) =>
      looks(() => ({ time, grandmaster, ...changed }), {}, { ...READING, offsetNs: 5 });
    expect(judgeTime('box', own(), { timescale: 'arbitrary' })).toBeUndefined();
    expect(judgeTime('box', own(), { timescale: 'ptp' })).toContain('ptp.timescale@ens1f0');
    expect(judgeTime('box', own({ offsetNs: 200_000 }), { timescale: 'arbitrary' })).toContain(
      'ptp.limit@ens1f0/internal',
    );
    expect(judgeTime('box', own({ ingressTimeNs: 5n }), { timescale: 'arbitrary' })).toContain('ptp.sync@ens1f0');
    // What counts TAI is not what was asked for.
    expect(judgeTime('box', looks(), { timescale: 'arbitrary' })).toContain('ptp.timescale@ens1f0');
  });
});
