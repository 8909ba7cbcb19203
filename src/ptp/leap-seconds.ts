/** How far TAI is ahead of UTC, and who says so. */
export interface UtcOffset {
  readonly offsetS: number;
  /** A path, `the kernel (adjtimex)`, or that nobody else knows: the words of evidence. */
  readonly source: string;
  /** Leap seconds that may have come since the source was made and that it cannot know; 0: it is of today. */
  readonly mostSince: number;
}

/** Leap seconds as a file has them. Seconds since 1970. */
export interface LeapTable {
  readonly steps: readonly { readonly fromS: number; readonly offsetS: number }[];
  /** Until when it knows of all. */
  readonly expiresS: number;
}

/** NTP counts from 1900. */
const NTP_EPOCH_S = 2_208_988_800;

/** `leap-seconds.list` of IERS and NIST: seconds of NTP and the offset from then on, `#@` the end. undefined: it is anything else. */
export function parseLeapSecondsList(text: string): LeapTable | undefined {
  const steps = [...text.matchAll(/^(\d{10})[ \t]+(\d{1,3})(?=\s)/gm)].map(([, from, offset]) => ({
    fromS: Number(from) - NTP_EPOCH_S,
    offsetS: Number(offset),
  }));
  const expires = /^#@[ \t]+(\d{10})\s/m.exec(text)?.[1];
  return tableOf(steps, expires === undefined ? undefined : Number(expires) - NTP_EPOCH_S);
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
/** Of 1972, when leap seconds began. */
const FIRST_OFFSET_S = 10;

/** `leapseconds` of the time zone database, zic(8): `Leap 2016 Dec 31 23:59:60 + S`, `#expires SECONDS`. */
export function parseTzdataLeaps(text: string): LeapTable | undefined {
  let offsetS = FIRST_OFFSET_S;
  const steps = [{ fromS: Date.UTC(1972, 0, 1) / 1000, offsetS }];
  for (const [, year, month, day, sign] of text.matchAll(
    /^Leap\s+(\d{4})\s+([A-Z][a-z]{2})\s+(\d{1,2})\s+23:59:(?:60|59)\s+([+-])\s+S/gm,
  )) {
    offsetS += sign === '+' ? 1 : -1;
    steps.push({ fromS: Date.UTC(Number(year), MONTHS.indexOf(month as string), Number(day) + 1) / 1000, offsetS });
  }
  const expires = /^#expires (\d+)\b/m.exec(text)?.[1];
  return tableOf(steps.length > 1 ? steps : [], expires === undefined ? undefined : Number(expires));
}

function tableOf(steps: LeapTable['steps'], expiresS: number | undefined): LeapTable | undefined {
  const isOrdered = steps.every(({ fromS }, index) => index === 0 || fromS > (steps[index - 1]?.fromS ?? 0));
  return steps.length === 0 || !isOrdered || expiresS === undefined ? undefined : { steps, expiresS };
}

/** What hft was built with: for a host that knows nothing of its own. IERS Bulletin C announced no leap second after 2017-01-01. */
const BUILT_IN = { offsetS: 37, knownUntilS: Date.UTC(2026, 10, 22) / 1000 };

export interface UtcKnowledge {
  readonly nowS: number;
  readonly tables: readonly { readonly path: string; readonly table: LeapTable }[];
  /** Of the kernel; 0 or undefined: nobody has told it. */
  readonly kernelS: number | undefined;
}

/** The best that this host knows: a table that has not expired, the kernel, one that has, and at last what hft was built with. */
export function utcOffsetOf({ nowS, tables, kernelS }: UtcKnowledge): UtcOffset {
  const [newest] = [...tables].sort((left, right) => right.table.expiresS - left.table.expiresS);
  const offsetS = newest?.table.steps.findLast(({ fromS }) => fromS <= nowS)?.offsetS;
  if (newest !== undefined && offsetS !== undefined && newest.table.expiresS > nowS)
    return { offsetS, source: newest.path, mostSince: 0 };
  if (kernelS) return { offsetS: kernelS, source: 'the kernel (adjtimex)', mostSince: 0 };
  if (newest !== undefined && offsetS !== undefined && newest.table.expiresS >= BUILT_IN.knownUntilS)
    return {
      offsetS,
      source: `${newest.path}, which expired on ${dayOf(newest.table.expiresS)}`,
      mostSince: countChances(newest.table.expiresS, nowS),
    };
  const why = newest === undefined ? 'this host has no table of leap seconds' : `${newest.path} has expired`;
  return {
    offsetS: BUILT_IN.offsetS,
    source: `hft, as of ${dayOf(BUILT_IN.knownUntilS)} (${why})`,
    mostSince: countChances(BUILT_IN.knownUntilS, nowS),
  };
}

function dayOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 10);
}

/** Leap seconds come at the end of June and of December alone. */
function countChances(fromS: number, untilS: number): number {
  const halfYear = (seconds: number) => {
    const date = new Date(seconds * 1000);
    return date.getUTCFullYear() * 2 + (date.getUTCMonth() >= 6 ? 1 : 0);
  };
  return Math.max(0, halfYear(untilS) - halfYear(fromS));
}

const TOLERANCE_NS = 1e6;

/** Whether a difference is the one of TAI and UTC, either way: a flag is wrong, not a servo. */
export function isLeapSeconds(ns: number, { offsetS }: UtcOffset): boolean {
  return Math.abs(Math.abs(ns) - offsetS * 1e9) < TOLERANCE_NS;
}
