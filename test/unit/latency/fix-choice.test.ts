import { describe, expect, test } from 'vitest';
import { chooseFixes } from '../../../src/cli/fix-choice.ts';
import type { Change } from '../../../src/engine/plan.ts';
import { viewFix } from '../../../src/views/latency-fix.ts';

describe('what is not tried is said', () => {
  const changeOf = (id: string, more: object = {}, setting: object = {}): Change =>
    ({
      setting: { id, stage: 'values', why: 'A test.', ...setting },
      current: '1',
      desired: '0',
      takesEffect: 'now',
      disruption: 'none',
      ...more,
    }) as unknown as Change;
  const plan = {
    profile: 'colo',
    changes: [
      changeOf('a.now'),
      changeOf('a.boot', { takesEffect: 'reboot', disruption: 'reboot' }),
      changeOf('a.link', { disruption: 'link' }),
      changeOf('a.shape', {}, { stage: 'shape' }),
      changeOf('a.own', {}, { interface: 'ens1' }),
    ],
    satisfied: [{ setting: { id: 'a.right' } }, { setting: { id: 'a.staged' }, pendingReboot: true }],
    refused: [{ id: 'a.refused', reason: 'The kernel has no such knob.' }],
    unread: [{ setting: { id: 'a.unread' }, evidence: 'EACCES' }],
  };
  const machine = { nics: [{ name: 'ens1', carriesSession: true }] };
  const ids = ['now', 'boot', 'link', 'shape', 'own', 'right', 'staged', 'refused', 'unread', 'absent'];
  const named10 = ids.map((id) => ({ id: `a.${id}`, causes: ['x'] }));
  const choice = chooseFixes(named10, { plan, machine } as never);

  test('with the reason', () => {
    expect(choice.offered.map(({ id }) => id)).toEqual(['a.now']);
    expect(choice.others.map(({ id, because }) => [id, because])).toEqual([
      ['a.boot', 'reboot'],
      ['a.link', 'disturbs'],
      ['a.shape', 'disturbs'],
      ['a.own', 'disturbs'],
      ['a.right', 'in-place'],
      ['a.staged', 'reboot'],
      ['a.refused', 'refused'],
      ['a.unread', 'unread'],
      ['a.absent', 'not-in-profile'],
    ]);
  });

  test('and in the text, with the next step', () => {
    const nothing = { rounds: [], comparison: null, run: null, lasting: false };
    const fix = { ...nothing, ...choice, profile: 'colo', decision: 'declined', why: 'Nothing was changed.' } as const;
    expect(viewFix(fix, { columns: 80, color: false })).toMatchInlineSnapshot(`
      "Not tried: Nothing was changed.
          a.now 1 → 0

      Named and not tried
        a.boot
            It takes effect at a reboot: \`hft tune --profile colo\` makes it.
        a.link
            It disturbs a link each time: \`hft tune --profile colo\` makes it.
        a.shape
            It changes what exists (CPUs, queues), and so what is measured: \`hft tune
            --profile colo\` makes it.
        a.own
            It disturbs the interface of this session: \`hft tune --profile colo\` makes
            it.
        a.right
            It is as colo wants it already, and does not remove this.
        a.staged
            It is staged and waits for a reboot.
        a.refused
            The kernel has no such knob.
        a.unread
            It could not be read: EACCES.
        a.absent
            Profile colo does not set it here."
    `);
  });
});
