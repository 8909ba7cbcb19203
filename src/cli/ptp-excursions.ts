import type { EvidenceLog } from '../agent/ptp-evidence.ts';
import { sampleEvidence } from '../ptp/evidence.ts';
import type { PtpExpectation } from '../ptp/expectation.ts';
import type { PtpReport } from '../ptp/report.ts';

export interface EvidenceWriter {
  sample(report: PtpReport): Promise<void>;
  end(): Promise<void>;
}

/** Writes a line for each sample, and one more when something starts or ends to be wrong. Without a log it writes nothing. */
export function writePtpEvidence(
  log: EvidenceLog | undefined,
  { host, expectation }: { readonly host: string; readonly expectation: PtpExpectation },
): EvidenceWriter {
  let isStarted = false;
  let wrong: ReadonlySet<string> = new Set();
  return {
    async sample(report) {
      if (log === undefined) return;
      if (!isStarted) await log.write('start', { host, expectation });
      isStarted = true;
      await log.write('sample', sampleEvidence(report));
      const now = report.results.filter(({ status }) => status !== 'pass');
      const ids = new Set(now.map(({ id }) => id));
      for (const { id, status, expected, actual, evidence } of now)
        if (!wrong.has(id)) await log.write('excursion', { id, status, expected, actual, evidence });
      for (const id of wrong) if (!ids.has(id)) await log.write('recovery', { id });
      wrong = ids;
    },
    async end() {
      if (isStarted) await log?.write('end', { wrong: [...wrong] });
    },
  };
}
