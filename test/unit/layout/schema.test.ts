import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { layoutWanted } from '../../../src/layout/schema.ts';

describe('the layout part of a profile', () => {
  test('empty: everything is housekeeping, no CPUs are set apart', () => {
    expect(layoutWanted.parse({})).toEqual({
      nic: 'auto',
      housekeeping: { coresPerNode: 1 },
      irq: { cores: 0 },
      isolated: { cores: 0, near: 'nic', within: 'all', coreType: 'performance' },
      smt: 'keep',
    });
  });

  test.each([
    [{ isolated: '2-7', housekeeping: 'node(0) - 2-3', irq: 1 }],
    [{ isolated: { cores: 4, near: 'nic(eth1)', within: 'node(1)' } }],
    [{ isolated: { cores: '50%', coreType: 'any' }, nic: 'driver=mlx5', smt: 'siblings-offline' }],
  ])('accepts %j', (wanted) => {
    expect(layoutWanted.safeParse(wanted).success).toBe(true);
  });

  test.each([
    [{ isolted: '2-7' }, [], /isolted/],
    [{ isolated: { core: 4 } }, ['isolated'], /core/],
    [{ isolated: { cores: '150%' } }, ['isolated', 'cores'], /a number of cores, "most", or a share such as 50%/],
    [{ isolated: { cores: -1 } }, ['isolated', 'cores'], /a number of cores/],
    [{ isolated: '2-' }, ['isolated'], /column 2: a - right after a number/],
    [{ isolated: false }, ['isolated'], /expected a CPU set such as 2-7/],
    [{ housekeeping: { coresPerNode: 0 } }, ['housekeeping', 'coresPerNode'], />=1/],
    [{ irq: { cores: 1, near: 'nic' } }, ['irq'], /near/],
    [{ smt: false }, ['smt'], /siblings-offline/],
  ])('%j is refused and says where and why', (wanted, path, message) => {
    const issues = layoutWanted.safeParse(wanted).error?.issues ?? [];
    const text = issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('\n');
    expect(issues.length).toBeGreaterThan(0);
    expect(path.join('.').startsWith(issues[0]?.path.join('.') ?? '?')).toBe(true);
    expect(text).toMatch(message);
  });

  test('every key is described for docs and editors', () => {
    const schema = z.toJSONSchema(layoutWanted, { io: 'input' });
    const properties = Object.entries(schema.properties ?? {});
    expect(properties.map(([key]) => key)).toEqual(['nic', 'housekeeping', 'irq', 'isolated', 'smt']);
    for (const [key, value] of properties) expect(value, key).toHaveProperty('description');
  });
});
