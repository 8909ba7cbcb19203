/**
 * The kinds of value that a profile is written in, for the schemas of the domains.
 *
 * Every one takes what people write and gives what code needs (bytes, microseconds, booleans), and takes its own
 * output again: a profile that was parsed and stored parses to the same. Their messages say what was expected; the
 * loader adds the key, the place and what it found. Describe each key where it is used: `size().describe('…')`.
 */
import { z } from 'zod';
import { CpuExpressionError, parseCpuExpression } from '../layout/cpu-expression.ts';

const UNIT_BYTES: Readonly<Record<string, number>> = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };
const UNIT_NS: Readonly<Record<string, number>> = { ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9, min: 60e9 };

const SIZE = /^(?<number>\d+)\s*(?<unit>[kmgtKMGT]?)(?:i?B)?$/;
const DURATION = /^(?<number>\d+(?:\.\d+)?)\s*(?<unit>ns|us|µs|ms|s|min)$/;
const PERCENT = /^(?<number>\d+(?:\.\d+)?)\s*%$/;

/** A size in bytes: `64M`, `1G`, `128KiB`, or a number of bytes. Units are powers of 1024, as the kernel has them. */
export function size() {
  const expected = 'expected a size such as 64M or 1G (K, M, G, T are powers of 1024), or a number of bytes';
  return z
    .union([z.string().regex(SIZE, expected), z.number().int(expected).nonnegative(expected)], expected)
    .transform((written) => (typeof written === 'number' ? written : parseSize(written)));
}

/** A time in microseconds: `50us`, `2ms`, or a bare number of microseconds. Fractions of a microsecond are refused. */
export function durationUs() {
  return duration(1e3, 'microseconds', '50us');
}

/** A time in nanoseconds: `200us`, `500000ns`, or a bare number of nanoseconds. */
export function durationNs() {
  return duration(1, 'nanoseconds', '200us');
}

/** A time in seconds: `10s`, `2min`, or a bare number of seconds. */
export function durationS() {
  return duration(1e9, 'seconds', '10s');
}

/** `on` or `off`, given as a boolean. YAML's true and false are taken too. */
export function onOff() {
  return z
    .union([z.enum(['on', 'off']), z.boolean()], 'expected on or off')
    .transform((written) => written === true || written === 'on');
}

/** A share from 0 to 100: `10%`, or a bare number of percent. */
export function percent() {
  const expected = 'expected a share from 0% to 100%, such as 10%';
  return z
    .union([z.string().regex(PERCENT, expected), z.number()], expected)
    .transform((written) => (typeof written === 'number' ? written : Number.parseFloat(written)))
    .refine((share) => share >= 0 && share <= 100, expected);
}

/** A whole number; `min` is 0 and `max` the largest that is exact when not given. */
export function count(limits: { readonly min?: number; readonly max?: number } = {}) {
  const min = limits.min ?? 0;
  const range = limits.max === undefined ? `of at least ${min}` : `from ${min} to ${limits.max}`;
  const error = `expected a whole number ${range}`;
  return z
    .number(error)
    .int(error)
    .min(min, error)
    .max(limits.max ?? Number.MAX_SAFE_INTEGER, error);
}

/**
 * CPUs by number, role or place, kept as text and resolved on each host by `resolveCpuSet` (src/layout/cpu-set.ts):
 * `0-3,8`, `housekeeping`, `isolated`, `node(0) - 0`, `nic(eth1)`.
 */
export function cpuSet() {
  return z
    .union([z.string(), z.number().int().nonnegative()], 'expected a CPU set such as 0-3,8, housekeeping or node(0)')
    .transform(String)
    .superRefine((expression, context) => {
      const problem = findCpuSetProblem(expression);
      if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
    });
}

function duration(unitNs: number, unitName: string, example: string) {
  const expected = `expected a time such as ${example}, or a whole number of ${unitName}`;
  return z
    .union([z.string().regex(DURATION, expected), z.number().nonnegative(expected)], expected)
    .transform((written) => (typeof written === 'number' ? written : parseDurationNs(written) / unitNs))
    .refine((time) => Number.isSafeInteger(time), expected);
}

function parseSize(text: string): number {
  const { number, unit = '' } = SIZE.exec(text)?.groups ?? {};
  return Number(number) * (UNIT_BYTES[unit.toLowerCase()] ?? Number.NaN);
}

function parseDurationNs(text: string): number {
  const { number, unit = '' } = DURATION.exec(text)?.groups ?? {};
  return Math.round(Number(number) * (UNIT_NS[unit] ?? Number.NaN) * 1e6) / 1e6;
}

function findCpuSetProblem(expression: string): string | undefined {
  try {
    parseCpuExpression(expression);
    return undefined;
  } catch (error) {
    if (!(error instanceof CpuExpressionError)) throw error;
    return error.message;
  }
}
