import type { Finding, Floor } from './probe.ts';
import type { ProbeRun } from './run.ts';

/** What the clock may drift, beyond what the calibration itself may be off. */
const MOST_DRIFT_PPM = 1;

export function floorOf({ meta, result }: ProbeRun): Floor {
  const { source, quantumNs, readNs, orderedReadNs, recordNs, loopNs } = meta.clock;
  return {
    clock: source,
    quantumNs,
    readNs,
    orderedReadNs,
    recordNs,
    loopNs,
    driftPpm: result.calibration.ppm,
    driftErrorPpm: result.calibration.errorPpm,
    ...(meta.skew && { skew: meta.skew }),
  };
}

/** What any probe's run may have wrong with it. A probe adds its own. */
export function commonFindings({ meta, result }: ProbeRun): readonly Finding[] {
  return [
    ...findCut(result.cut),
    ...findClock(meta.clock, result),
    ...findPlacement(result),
    ...(meta.controlShared
      ? [
          finding(
            'control-shared',
            'The control thread of the probe had no CPU of its own and disturbed what it measured.',
          ),
        ]
      : []),
    ...(meta.memoryLocked
      ? []
      : [finding('memory-unlocked', `Memory was not locked: ${meta.whyUnlocked ?? 'no reason given'}.`)]),
    ...findFaults(result),
  ];
}

export function finding(kind: Finding['kind'], text: string): Finding {
  return { kind, text, invalidates: false };
}

export function invalidating(kind: Finding['kind'], text: string): Finding {
  return { kind, text, invalidates: true };
}

function findCut(cut: string | undefined): Finding[] {
  if (cut === undefined) return [];
  return [invalidating('cut', `The run was ended early (${cut}): the figures are of what was measured until then.`)];
}

function findClock(clock: ProbeRun['meta']['clock'], result: ProbeRun['result']): Finding[] {
  const { ppm, errorPpm } = result.calibration;
  const found: Finding[] = [];
  if (clock.source === 'raw') {
    found.push(
      finding(
        'clock-raw',
        `Times were read from the kernel, ${clock.readNs.toFixed(0)} ns each: ${clock.whyRaw ?? 'no reason given'}.`,
      ),
    );
  }
  if (Math.abs(ppm) > MOST_DRIFT_PPM + errorPpm) {
    found.push(
      invalidating(
        'clock-drift',
        `The clock changed by ${ppm.toFixed(2)} ppm during the run (known within ${errorPpm.toFixed(2)} ppm, allowed ${MOST_DRIFT_PPM}).`,
      ),
    );
  }
  if ((result.backwards ?? 0) > 0) {
    found.push(invalidating('clock-backwards', `The clock went backwards ${result.backwards} times on one CPU.`));
  }
  return found;
}

function findPlacement({ threads, misplaced }: ProbeRun['result']): Finding[] {
  const strayed = threads.filter(({ cpu, cpuLastSeen }) => cpu !== cpuLastSeen);
  const found = strayed.map(({ cpu, cpuLastSeen }) =>
    invalidating('wrong-cpu', `A thread that was pinned to CPU ${cpu} ended on CPU ${cpuLastSeen}.`),
  );
  if ((misplaced ?? 0) > 0)
    found.push(invalidating('wrong-cpu', `A thread was ${misplaced} times not on the CPU that it was pinned to.`));
  return found;
}

function findFaults({ minorFaults, majorFaults }: ProbeRun['result']): Finding[] {
  if (minorFaults + majorFaults === 0) return [];
  return [
    finding(
      'page-faults',
      `The probe itself had ${minorFaults} minor and ${majorFaults} major page faults while it measured.`,
    ),
  ];
}
