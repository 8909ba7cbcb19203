/** Where a value of a logarithmic axis lies, and what its marks are. */
export interface LogScale {
  at(value: number): number;
  readonly lowest: number;
  readonly highest: number;
  /** Powers of ten that have a label, and the values between that have only a line. */
  readonly majors: readonly number[];
  readonly minors: readonly number[];
}

interface Span {
  readonly lowest: number;
  readonly highest: number;
}

/** From whole powers of ten around the values to pixels `from` to `to`; values outside are moved to the edge. */
export function logScale({ lowest, highest }: Span, [from, to]: readonly [number, number]): LogScale {
  const first = Math.floor(Math.log10(Math.max(lowest, 1e-12)) + 1e-9);
  const last = Math.max(first + 1, Math.ceil(Math.log10(Math.max(highest, lowest, 1e-12)) - 1e-9));
  const exponents = Array.from({ length: last - first + 1 }, (_, index) => first + index);
  const majors = exponents.map((exponent) => 10 ** exponent);
  return {
    lowest: 10 ** first,
    highest: 10 ** last,
    majors,
    minors: majors.slice(0, -1).flatMap((major) => [2 * major, 5 * major]),
    at(value) {
      const exponent = Math.log10(Math.max(value, 10 ** first));
      const share = Math.min(1, (exponent - first) / (last - first));
      return from + share * (to - from);
    },
  };
}

/** Round steps of an axis that begins at 0: at most `most` of them. */
export function linearSteps(highest: number, most: number): number[] {
  if (!(highest > 0)) return [0];
  const rough = highest / most;
  const size = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * size).find((each) => each >= rough) ?? rough;
  return Array.from({ length: Math.floor(highest / step + 1e-9) + 1 }, (_, index) => index * step);
}
