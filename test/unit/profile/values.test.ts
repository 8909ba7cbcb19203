import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { count, cpuSet, durationNs, durationS, durationUs, onOff, percent, size } from '../../../src/profile/values.ts';

describe('what people write becomes what code needs', () => {
  test.each([
    ['size', '64M', 64 * 2 ** 20, size()],
    ['size', '1G', 2 ** 30, size()],
    ['size', '128KiB', 128 * 1024, size()],
    ['size', '2 TB', 2 * 2 ** 40, size()],
    ['size', 134217728, 134217728, size()],
    ['durationUs', '50us', 50, durationUs()],
    ['durationUs', '1.5ms', 1500, durationUs()],
    ['durationUs', 50, 50, durationUs()],
    ['durationNs', '200us', 200_000, durationNs()],
    ['durationS', '2min', 120, durationS()],
    ['onOff', 'off', false, onOff()],
    ['onOff', 'on', true, onOff()],
    ['onOff', true, true, onOff()],
    ['percent', '2.5%', 2.5, percent()],
    ['percent', 95, 95, percent()],
    ['count', 9, 9, count({ min: 1, max: 9 })],
    ['cpuSet', 'housekeeping + node(1)', 'housekeeping + node(1)', cpuSet()],
    ['cpuSet', 3, '3', cpuSet()],
  ])('%s takes %j', (_name, written, expected, schema) => {
    expect(schema.parse(written)).toBe(expected);
  });

  test.each([
    ['size', '64 megs', size()],
    ['size', '-1', size()],
    ['size', '1.5G', size()],
    ['durationUs', '50', durationUs()],
    ['durationUs', '50ns', durationUs()],
    ['durationUs', '1h', durationUs()],
    ['onOff', 'yes', onOff()],
    ['onOff', 1, onOff()],
    ['percent', '120%', percent()],
    ['count', 4, count({ max: 3 })],
    ['count', '1_000', count()],
  ])('%s refuses %j and says what it expects', (_name, written, schema) => {
    const { error } = schema.safeParse(written);
    expect(error?.issues.map((issue) => issue.message)).toEqual([expect.stringMatching(/^expected /)]);
  });
});

test.each(['isolatd', 'node(x)', '', '4-2'])('a CPU set refuses %j and shows where', (written) => {
  const { error } = cpuSet().safeParse(written);
  expect(error?.issues.map((issue) => issue.message)).toEqual([expect.stringMatching(/^CPU set ".*", column \d+: /)]);
});

test('a parsed value parses to itself, so that a stored profile can be read again', () => {
  const units = fc.constantFrom('', 'K', 'M', 'G');
  fc.assert(
    fc.property(fc.nat(4096), units, (number, unit) => {
      const bytes = size().parse(`${number}${unit}`);
      expect(size().parse(bytes)).toBe(bytes);
    }),
  );
  fc.assert(
    fc.property(fc.nat(100_000), fc.constantFrom('us', 'ms', 's'), (number, unit) => {
      const us = durationUs().parse(`${number}${unit}`);
      expect(durationUs().parse(us)).toBe(us);
    }),
  );
});

test('every kind has a JSON Schema of what is written', () => {
  const kinds = z.object({ a: size(), b: durationUs(), c: onOff(), d: percent(), e: count(), f: cpuSet() });
  expect(() => z.toJSONSchema(kinds, { io: 'input' })).not.toThrow();
});
