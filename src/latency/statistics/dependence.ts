/**
 * How far the samples depend on each other, told from how the sums of consecutive blocks vary. Samples of latency come in
 * stalls and drifts, so a million of them may be worth a hundred independent ones.
 */
export interface Dependence {
  /** The variance of the sum over all blocks, with its dependence in it (long-run variance). */
  readonly variance: number;
  /** Of the estimate of that variance; 0 when the run is too short for its own dependence. */
  readonly degreesOfFreedom: number;
}

/** With fewer cosines the run is not long enough to average over its own slow waves. */
const DEGREES_MIN = 4;
/** As many cosines as short runs may have, so that the t quantile stays usable. */
const DEGREES_FLOOR = 8;
/** Lazarus, Lewis, Stock, Watson (2018), HAR inference: recommendations for practice: 0.4 * n ** (2/3) cosines. */
const DEGREES_RATE = 0.41;
/** Cosines up to this share of the integrated correlation time see a spectrum that is flat within some 5 %. */
const FLAT_SHARE = 0.25;

/**
 * Long-run variance from the lowest cosine frequencies of the residuals (equal-weighted cosine estimate): the slower the series
 * forgets, the fewer frequencies are used, and the fewer degrees of freedom remain. `residuals` have mean 0.
 */
export function dependenceOf(residuals: Float64Array): Dependence {
  const { length } = residuals;
  const flat = (FLAT_SHARE * length) / correlationTime(residuals);
  const cosines = Math.floor(Math.min(Math.max(DEGREES_FLOOR, DEGREES_RATE * length ** (2 / 3)), flat));
  if (cosines < DEGREES_MIN) return { variance: Number.POSITIVE_INFINITY, degreesOfFreedom: 0 };
  let variance = 0;
  for (let j = 1; j <= cosines; j++) variance += 2 * cosineSum(residuals, j) ** 2;
  return {
    variance: variance / cosines,
    degreesOfFreedom: 1 / (1 / cosines + 1 / spreadDegrees(residuals)),
  };
}

/** Σ r(t) cos(π j (t + 1/2) / n), by the recurrence of the cosine. */
function cosineSum(residuals: Float64Array, j: number): number {
  const angle = (Math.PI * j) / residuals.length;
  const twice = 2 * Math.cos(angle);
  let now = Math.cos(angle / 2);
  let before = now;
  let sum = 0;
  for (let t = 0; t < residuals.length; t++) {
    sum += now * (residuals[t] as number);
    [now, before] = [twice * now - before, now];
  }
  return sum;
}

/**
 * Degrees of freedom of a variance to which only few blocks contribute: 2 n / (kurtosis - 1). All of n for normal residuals, twice
 * the number of stalls when there are a few equal ones.
 */
function spreadDegrees(residuals: Float64Array): number {
  let [squares, fourths] = [0, 0];
  for (const residual of residuals) {
    squares += residual ** 2;
    fourths += residual ** 4;
  }
  if (fourths === 0) return residuals.length;
  const kurtosis = (residuals.length * fourths) / squares ** 2;
  return (2 * residuals.length) / Math.max(1e-9, kurtosis - 1);
}

/** Sokal's window: sum correlations up to five times the correlation time that they give. */
const WINDOW = 5;

/** The integrated correlation time in blocks, both sides: 1 when blocks are independent. */
export function correlationTime(residuals: Float64Array): number {
  const { length } = residuals;
  const lagged = (lag: number) => {
    let sum = 0;
    for (let t = lag; t < length; t++) sum += (residuals[t] as number) * (residuals[t - lag] as number);
    return sum;
  };
  const variance = lagged(0);
  if (variance === 0) return 1;
  let time = 1;
  for (let lag = 1; lag < length / 3; lag++) {
    time += (2 * lagged(lag)) / variance;
    if (lag >= WINDOW * Math.max(time, 1)) break;
  }
  return Math.max(time, 1);
}
