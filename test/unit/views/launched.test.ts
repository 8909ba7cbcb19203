import { expect, test } from 'vitest';
import type { LocalStatus } from '../../../src/agent/local-status.ts';
import { newRecord } from '../../../src/launch/supervision.ts';
import { psExitCode } from '../../../src/views/ps.ts';
import { statusJson, viewStatus } from '../../../src/views/status.ts';

const STATUS: LocalStatus = {
  host: 'box7',
  profile: undefined,
  since: undefined,
  run: undefined,
  changes: [],
  drift: [],
  pendingReboot: [],
  waiting: undefined,
  cutOff: [],
  notUndone: [],
  latency: undefined,
  launched: undefined,
  watch: undefined,
};
const TERMINAL = { columns: 80, color: false };

test('a status says what was launched, and why nothing may start', () => {
  expect(viewStatus(STATUS, TERMINAL)).not.toContain('launched');
  expect(statusJson(STATUS).launched).toBeNull();
  const launched = { deployment: 'desk', refused: undefined };
  expect(viewStatus({ ...STATUS, launched }, TERMINAL)).toContain('launched  desk: `hft ps` shows it');
  const refused = { ...launched, refused: 'Nothing was started: 3 settings differ.' };
  expect(viewStatus({ ...STATUS, launched: refused }, TERMINAL)).toContain(
    'not launched  desk  Nothing was started: 3 settings differ.',
  );
  expect(statusJson({ ...STATUS, launched }).launched).toEqual({ deployment: 'desk', refused: null });
});

test.each([
  ['running', undefined, 0],
  ['down', undefined, 0],
  ['down', 'Nothing was started: 3 settings differ.', 1],
  ['broken', 'it ended with 7', 1],
] as const)('a process that is %s (%s): hft ps ends with %i', (phase, why, exitCode) => {
  const rows = [{ record: { ...newRecord('md'), phase, why } }];
  expect(psExitCode({ rows } as unknown as Parameters<typeof psExitCode>[0])).toBe(exitCode);
});
