/** Records one statement about the guest: whether it holds, what it says, and what was read. */
export type Check = (ok: boolean, what: string, got?: unknown) => void;

export interface Tally {
  readonly check: Check;
  counts(): { readonly passed: number; readonly failed: number };
}

/** Counts checks and prints one line for each, with the evidence cut to a line. */
export function createTally(print: (line: string) => void): Tally {
  let passed = 0;
  let failed = 0;
  return {
    check(ok, what, got) {
      if (ok) passed += 1;
      else failed += 1;
      const evidence = got === undefined ? '' : `  [${describeEvidence(got, ok ? 100 : 2000)}]`;
      print(`${ok ? 'pass' : 'FAIL'}  ${what}${evidence}`);
    },
    counts: () => ({ passed, failed }),
  };
}

function describeEvidence(got: unknown, length: number): string {
  const text = (typeof got === 'string' ? got : (JSON.stringify(got) ?? String(got))).trim().replaceAll('\n', ' | ');
  return text.length > length ? `${text.slice(0, length)} …` : text;
}
