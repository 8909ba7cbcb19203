/** IEEE 1588-2019, table 5: what a grandmaster's clockAccuracy promises, ns. 0x31 promises nothing (more than 10 s). */
const BOUND_NS: Readonly<Record<number, number>> = {
  23: 0.001,
  24: 0.0025,
  25: 0.01,
  26: 0.025,
  27: 0.1,
  28: 0.25,
  29: 1,
  30: 2.5,
  31: 10,
  32: 25,
  33: 100,
  34: 250,
  35: 1e3,
  36: 2.5e3,
  37: 10e3,
  38: 25e3,
  39: 100e3,
  40: 250e3,
  41: 1e6,
  42: 2.5e6,
  43: 10e6,
  44: 25e6,
  45: 100e6,
  46: 250e6,
  47: 1e9,
  48: 10e9,
};

/** undefined: the grandmaster does not know how right it is (0xfe, 0x31, a reserved value). */
export function accuracyNs(clockAccuracy: number): number | undefined {
  return BOUND_NS[clockAccuracy];
}

/** What a clockClass means for whoever follows. IEEE 1588-2019, table 4; G.8275.1 and G.8275.2, table 2. */
export interface ClockClass {
  readonly meaning: string;
  /** Whether its time is right by what it says: locked, or in holdover within its specification. */
  readonly isWithinSpecification: boolean;
}

const CLASSES: Readonly<Record<number, ClockClass>> = {
  6: { meaning: 'locked to a primary reference', isWithinSpecification: true },
  7: { meaning: 'in holdover, within its specification', isWithinSpecification: true },
  13: { meaning: 'locked to a time of its application', isWithinSpecification: true },
  14: { meaning: 'in holdover of a time of its application, within its specification', isWithinSpecification: true },
  52: { meaning: 'lost its reference: out of its specification (A)', isWithinSpecification: false },
  58: { meaning: 'lost the time of its application: out of its specification (A)', isWithinSpecification: false },
  135: { meaning: 'a telecom boundary clock in holdover, within its specification', isWithinSpecification: true },
  140: { meaning: 'in holdover, out of its specification (category 1)', isWithinSpecification: false },
  150: { meaning: 'in holdover, out of its specification (category 2)', isWithinSpecification: false },
  160: { meaning: 'in holdover, out of its specification (category 3)', isWithinSpecification: false },
  165: { meaning: 'a telecom boundary clock in holdover, out of its specification', isWithinSpecification: false },
  187: { meaning: 'lost its reference: out of its specification (B)', isWithinSpecification: false },
  193: { meaning: 'lost the time of its application: out of its specification (B)', isWithinSpecification: false },
  248: { meaning: 'the default: it has no reference', isWithinSpecification: false },
  255: { meaning: 'a clock that only follows', isWithinSpecification: false },
};

export function describeClass(clockClass: number): ClockClass {
  return CLASSES[clockClass] ?? { meaning: 'not a class that the standard names', isWithinSpecification: false };
}
