import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseTelemetry } from '../../../src/dpdk/telemetry.ts';
import { findEalErrors, parseForwarded } from '../../../src/dpdk/testpmd-text.ts';

const FOLDER = join(import.meta.dirname, 'captures');
const capture = (name: string) => readFileSync(join(FOLDER, `${name}.txt`), 'utf8');
const TELEMETRY = capture('telemetry-22.11');

describe('what dpdk-testpmd 22.11 printed', () => {
  test.each([
    ['testpmd-afpacket-rx', { received: 254977, sent: 0, dropped: 0 }],
    ['testpmd-afpacket-tx', { received: 0, sent: 1073376, dropped: 0 }],
    ['testpmd-afpacket-tx2', { received: 0, sent: 1012576, dropped: 0 }],
    ['testpmd-afxdp-rx', { received: 1007776, sent: 0, dropped: 4800 }],
    ['testpmd-igb-vfio', { received: 1541851, sent: 0, dropped: 0 }],
    ['testpmd-nohuge-null', { received: 269713984, sent: 269714048, dropped: 0 }],
  ])('%s', (name, forwarded) => {
    expect(parseForwarded(capture(name))).toEqual([forwarded]);
  });

  test('every capture is known to this test', () => {
    const known = ['afpacket-rx', 'afpacket-tx', 'afpacket-tx2', 'afxdp-rx', 'igb-vfio', 'nohuge-null'];
    const files = [...known.map((name) => `testpmd-${name}.txt`), 'failures.txt', 'telemetry-22.11.txt'];
    expect(readdirSync(FOLDER).sort()).toEqual(files.sort());
  });

  test('failures say why', () => {
    const errors = findEalErrors(capture('failures'));
    expect(errors).toContain('Cannot get hugepage information.');
    expect(errors).toContain('Cannot init memory');
    expect(errors).toContain('Cannot init EAL: Cannot allocate memory');
    expect(parseForwarded(capture('failures'))).toEqual([]);
  });

  test('cut anywhere, a total is the whole one or none', () => {
    const text = capture('testpmd-afxdp-rx');
    const whole = parseForwarded(text)[0];
    for (let end = text.indexOf('Accumulated') - 100; end < text.length; end++) {
      for (const each of parseForwarded(text.slice(0, end))) expect(each).toEqual(whole);
    }
  });
});

describe('telemetry', () => {
  test('of two ports', () => {
    const parsed = parseTelemetry(TELEMETRY);
    expect(parsed?.version).toBe('DPDK 22.11.11');
    expect(parsed?.ports).toEqual([0, 1]);
    expect(parsed?.stats.map(({ ipackets, opackets }) => [ipackets, opackets])).toEqual([
      [14260800, 14070368],
      [14298688, 14070368],
    ]);
  });

  test('cut anywhere it is unreadable', () => {
    for (let end = 0; end < TELEMETRY.length; end++) expect(parseTelemetry(TELEMETRY.slice(0, end))).toBeUndefined();
  });

  test('with a line left out, twice or in another order it is unreadable', () => {
    const lines = TELEMETRY.trimEnd().split('\n');
    for (const index of lines.keys()) {
      const without = lines.filter((_, at) => at !== index);
      const twice = lines.flatMap((line, at) => (at === index ? [line, line] : [line]));
      for (const changed of [without, twice]) expect(parseTelemetry(`${changed.join('\n')}\n`)).toBeUndefined();
    }
    expect(parseTelemetry(`${lines.toReversed().join('\n')}\n`)).toBeUndefined();
  });

  test('a counter that is null, negative, text or no whole number makes it unreadable', () => {
    for (const wrong of ['null', '-1', '"7"', '1.5', '1e400', '[]', 'true']) {
      expect(parseTelemetry(TELEMETRY.replace('"opackets":14070368', `"opackets":${wrong}`))).toBeUndefined();
    }
  });

  test('anything else is unreadable, never an error', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(fc.json()).map((lines) => `${lines.join('\n')}\n`),
        ),
        (text) => {
          expect(parseTelemetry(text)).toBeUndefined();
          expect(parseForwarded(text)).toEqual([]);
          findEalErrors(text);
        },
      ),
    );
  });
});
