import { kernelKnobs } from './kernel.ts';
import type { Knob } from './knob.ts';
import { memoryKnobs } from './memory.ts';
import { networkKnobs } from './network.ts';
import { schedulerKnobs } from './scheduler.ts';
import { tcpKnobs } from './tcp.ts';

/** Every knob that hft knows more of than its name. */
export const catalogue: readonly Knob[] = [
  ...kernelKnobs,
  ...schedulerKnobs,
  ...memoryKnobs,
  ...networkKnobs,
  ...tcpKnobs,
];

/** The knob of a name that is in the catalogue. Asking for another is a bug of the caller. */
export function findKnob(name: string): Knob {
  const knob = lookUpKnob(name);
  if (knob === undefined) throw new Error(`no knob ${name} in the catalogue`);
  return knob;
}

/** The knob of a name that people wrote; undefined when the catalogue does not have it. */
export function lookUpKnob(name: string): Knob | undefined {
  return catalogue.find((knob) => knob.name === name);
}
