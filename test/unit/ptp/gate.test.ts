import { describe, expect, test } from 'vitest';
import { judgeTime } from '../../../src/cli/launch-gate.ts';
import { looks } from './looks.ts';

describe('the gate of hft launch', () => {
  test('lets processes start on a host whose time verifies, 100 us being enough', () => {
    expect(judgeTime('box', looks())).toBeUndefined();
    expect(
      judgeTime(
        'box',
        looks((look) => ({ offsetNs: 20_000 + look })),
      ),
    ).toBeUndefined();
  });

  test.each([
    ['a Sync that has stopped', looks(() => ({ ingressTimeNs: 5n })), 'ptp.sync@'],
    ['a daemon that does not answer', looks(() => ({ problem: 'no answer' })), 'no answer'],
    ['no daemon at all', looks(undefined, { clocks: [], daemons: [] }), 'does not verify'],
    ['an offset beyond the limit', looks(() => ({ offsetNs: 200_000 })), 'ptp.limit@'],
  ])('keeps them back at %s, and says which', (_, seen, said) => {
    expect(judgeTime('box', seen)).toContain(said);
  });
});
