import { expect, test } from 'vitest';
import { type HealthFacts, judgeHealth } from '../../../../src/agent/metrics/health.ts';

const HEALTHY: HealthFacts = {
  ...{
    isListening: true,
    isEnding: false,
    nobodyAuthorised: undefined,
    oldestLookS: undefined,
    statusFailure: undefined,
  },
};

test.each<[Partial<HealthFacts>, readonly RegExp[]]>([
  [{}, []],
  [{ oldestLookS: 299 }, []],
  [{ oldestLookS: 301 }, [/only looks is at work for 301 s/]],
  [{ isListening: false }, [/no controller can connect/]],
  [{ isListening: false, isEnding: true }, [/is ending/]],
  [{ nobodyAuthorised: 'others may write it' }, [/no controller gets in: others may write it/]],
  [{ statusFailure: 'journal/x.jsonl:1: torn' }, [/status .* cannot be read: journal/]],
  [{ isListening: false, statusFailure: 'EIO' }, [/connect/, /EIO/]],
])('%o', (changed, reasons) => {
  expect(judgeHealth({ ...HEALTHY, ...changed })).toEqual(reasons.map((reason) => expect.stringMatching(reason)));
});
