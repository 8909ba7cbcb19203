import { coreToCore } from './core-to-core/core-to-core.ts';
import { jitter } from './jitter/jitter.ts';
import type { Probe } from './probe/probe.ts';
import { shm } from './shm/shm.ts';
import { wakeup } from './wakeup/wakeup.ts';

/** Every probe, in the order in which people see them. A new probe is a folder here and a line in this list. */
export const probes: readonly Probe[] = [jitter, wakeup, coreToCore, shm];
