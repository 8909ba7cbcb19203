import { z } from 'zod';
import { findKnob } from './catalogue.ts';

/** A switch of the kernel as 0 or 1; `on` and `off` are taken too. */
export function toggle() {
  return z
    .union([z.literal(0), z.literal(1), z.enum(['on', 'off']), z.boolean()], 'expected on or off (1 or 0)')
    .transform((written) => (written === 1 || written === 'on' || written === true ? 1 : 0));
}

/** Several numbers in one file (`4096 87380 67108864`), as a list or as text with spaces. */
export function numbers(amount: number, example: string) {
  const expected = `expected ${amount} whole numbers such as ${example}`;
  const list = z.array(z.number(expected).int(expected).nonnegative(expected), expected).length(amount, expected);
  const text = z.string().regex(new RegExp(`^\\s*\\d+(?:\\s+\\d+){${amount - 1}}\\s*$`), expected);
  return z
    .union([text, list], expected)
    .transform((written) => (typeof written === 'string' ? written.trim().split(/\s+/).map(Number) : written));
}

/** A key of a profile that sets this knob: optional, described by the knob's own sentence. */
export function keyOf<Value extends z.ZodType>(knob: string, value: Value) {
  return value.optional().describe(`${knob}: ${findKnob(knob).about}`);
}
