import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { readRules, ruleFiles, testFiles } from './files.ts';
import { hasPromtool, promtool } from './promtool.ts';

/** Minutes of made-up hours, on a machine that does other things. */
const TIME_LIMIT_MS = 600_000;

describe.skipIf(!hasPromtool)('promtool', { timeout: TIME_LIMIT_MS }, () => {
  test('takes the rules', () => {
    const { status, said } = promtool(['check', 'rules', ...ruleFiles]);
    expect([status, said]).toEqual([0, expect.stringContaining('SUCCESS')]);
  });

  test.each(testFiles)('%s', (file) => {
    const { status, said } = promtool(['test', 'rules', file]);
    expect([status, said]).toEqual([0, expect.stringContaining('SUCCESS')]);
  });
});

test('each alert is shown firing and not firing', () => {
  const tests = testFiles.flatMap(
    (file) =>
      parse(readFileSync(file, 'utf8')).tests as { name: string; promql_expr_test: { exp_samples: unknown[] }[] }[],
  );
  const shown = tests.map(
    ({ name, promql_expr_test: [checked] }) => `${name}: ${checked?.exp_samples.length === 0 ? 'no' : 'yes'}`,
  );
  const alerts = readRules().flatMap(({ alert }) => alert ?? []);
  expect(new Set(alerts).size).toBe(alerts.length);
  expect(shown.sort()).toEqual(alerts.flatMap((name) => [`${name} fires: yes`, `${name} is quiet: no`]).sort());
});

test('each alert says who is to act, on which host, and what to do', () => {
  for (const { alert, annotations, ...rule } of readRules().filter((each) => each.alert !== undefined)) {
    expect([alert, rule]).toEqual([
      alert,
      expect.objectContaining({ labels: { severity: expect.stringMatching(/^(page|ticket|info)$/) } }),
    ]);
    expect([alert, annotations?.summary]).toEqual([alert, expect.stringContaining('{{ $labels.instance }}')]);
    expect([alert, annotations?.description]).toEqual([alert, expect.stringMatching(/\.$/)]);
  }
});
