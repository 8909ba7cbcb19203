/** auto: the CPU's counter where it can be trusted. kernel: CLOCK_MONOTONIC_RAW everywhere. */
export const CLOCK_CHOICES = ['auto', 'kernel'] as const;
export type ClockChoice = (typeof CLOCK_CHOICES)[number];
