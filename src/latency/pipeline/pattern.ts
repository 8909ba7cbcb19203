/** As agents/probes/arrivals.c reads it. */
const LONGEST_NS = 3_600_000_000_000;
const MOST_ARRIVALS = 2 * 1024 * 1024;

/** What is wrong with a file of arrivals (the time to the next, whole ns, one per line); undefined when nothing is. */
export function complainOfPattern(text: string, file: string): string | undefined {
  const lines = text.replace(/\n$/, '').split(/\r?\n/);
  const wrong = lines.findIndex((line) => !/^\d{1,13}$/.test(line) || Number(line) > LONGEST_NS);
  if (wrong >= 0) {
    const got = JSON.stringify(lines[wrong]?.slice(0, 40));
    return `${file}:${wrong + 1}  expected the time to the next arrival, whole ns up to ${LONGEST_NS}, got ${got}`;
  }
  if (lines.length > MOST_ARRIVALS) return `${file}: expected at most ${MOST_ARRIVALS} arrivals, got ${lines.length}`;
  if (lines.length < 2 || lines.every((line) => Number(line) === 0)) {
    return `${file}: expected two times or more, not all 0`;
  }
  return undefined;
}
