/**
 * Distribution functions that the intervals need. Formulas: NIST Digital Library of Mathematical Functions, https://dlmf.nist.gov
 * 5.10 (gamma), 8.17 (incomplete beta, by its continued fraction), 8.17.5 (binomial), 7.
 */
const LANCZOS = [
  676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059, 12.507343278686905,
  -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
];
const FRACTION_STEPS_MAX = 20_000;
const FRACTION_PRECISION = 1e-13;
const SMALLEST = 1e-300;

/** ln Γ(x) for x > 0. */
export function logGamma(x: number): number {
  const shifted = x - 1;
  const sum = LANCZOS.reduce((total, c, i) => total + c / (shifted + i + 1), 0.99999999999980993);
  const t = shifted + 7.5;
  return 0.5 * Math.log(2 * Math.PI) + (shifted + 0.5) * Math.log(t) - t + Math.log(sum);
}

/** The regularized incomplete beta function I_x(a, b). */
export function betaBelow(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x));
  if (x < (a + 1) / (a + b + 2)) return (front * betaFraction(x, a, b)) / a;
  return 1 - (front * betaFraction(1 - x, b, a)) / b;
}

/** The continued fraction of the incomplete beta function by Lentz's method. */
function betaFraction(x: number, a: number, b: number): number {
  const away = (value: number) => (Math.abs(value) < SMALLEST ? SMALLEST : value);
  let c = 1;
  let d = 1 / away(1 - ((a + b) * x) / (a + 1));
  let fraction = d;
  for (let m = 1; m <= FRACTION_STEPS_MAX; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / away(1 + even * d);
    c = away(1 + even / c);
    fraction *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / away(1 + odd * d);
    c = away(1 + odd / c);
    fraction *= d * c;
    if (Math.abs(d * c - 1) < FRACTION_PRECISION) break;
  }
  return fraction;
}

/** Above this variance a binomial is as good as normal, and the continued fraction is slow. */
const NORMAL_VARIANCE = 10_000;

/**
 * P(K <= k) of a binomial of `n` trials of probability `p`; n and k need not be whole (effective sample sizes are not), for
 * which the incomplete beta function is the smooth continuation.
 */
export function binomialBelow(k: number, { n, p }: { readonly n: number; readonly p: number }): number {
  if (k <= -1) return 0;
  if (k >= n) return 1;
  const variance = n * p * (1 - p);
  if (variance > NORMAL_VARIANCE) return normalBelow((k + 0.5 - n * p) / Math.sqrt(variance));
  return betaBelow(1 - p, n - k, k + 1);
}

export function normalBelow(z: number): number {
  if (z > 0) return 1 - normalBelow(-z);
  // Beyond, the series loses more digits than the answer has; it is below 1e-9.
  if (z < -6) return 0;
  let term = z;
  let sum = z;
  for (let i = 1; Math.abs(term) > 1e-17; i++) {
    term *= (-z * z) / (2 * i);
    sum += term / (2 * i + 1);
  }
  return 0.5 + sum / Math.sqrt(2 * Math.PI);
}

/** P(T <= t) of Student's distribution. */
export function studentBelow(t: number, degrees: number): number {
  const tail = betaBelow(degrees / (degrees + t * t), degrees / 2, 0.5) / 2;
  return t > 0 ? 1 - tail : tail;
}

/** The value that a Student variable exceeds in absolute value with probability `1 - confidence`. */
export function studentTwoSided(degrees: number, confidence: number): number {
  const wanted = (1 + confidence) / 2;
  let [low, high] = [0, 1];
  while (studentBelow(high, degrees) < wanted) high *= 2;
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (studentBelow(middle, degrees) < wanted) low = middle;
    else high = middle;
  }
  return high;
}
