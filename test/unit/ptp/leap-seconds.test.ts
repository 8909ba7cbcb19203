import { describe, expect, test } from 'vitest';
import {
  isLeapSeconds,
  type LeapTable,
  parseLeapSecondsList,
  parseTzdataLeaps,
  utcOffsetOf,
} from '../../../src/ptp/leap-seconds.ts';
import { lookAtPtp } from '../../../src/ptp/look.ts';
import { reportPtp } from '../../../src/ptp/report.ts';
import { FakeHost } from '../../fake-host.ts';
import { STRICT } from './expected.ts';
import { looks, slave } from './looks.ts';

const at = (text: string) => Date.parse(text) / 1000;
/** Both as Debian 12's tzdata of 2025 has them, but for comments; they say the same. */
const LIST = `#$	3676924800
#@	3991593600
2272060800	10	# 1 Jan 1972
3439756800	34	# 1 Jan 2009
3550089600	35	# 1 Jul 2012
3644697600	36	# 1 Jul 2015
3692217600	37	# 1 Jan 2017
`;
const ZIC = `# Leap	YEAR	MONTH	DAY	HH:MM:SS	CORR	R/S
Leap	2012	Jun	30	23:59:60	+	S
Leap	2016	Dec	31	23:59:60	+	S
#updated 1751846400 (2025-07-07 00:00:00 UTC)
#expires 1782604800 (2026-06-28 00:00:00 UTC)
`;

describe('tables of leap seconds', () => {
  test('the list of IERS and that of the time zone database', () => {
    const list = parseLeapSecondsList(LIST);
    expect(list?.expiresS).toBe(at('2026-06-28T00:00:00Z'));
    expect(list?.steps.at(-1)).toEqual({ fromS: at('2017-01-01T00:00:00Z'), offsetS: 37 });
    expect(parseTzdataLeaps(ZIC)).toEqual({
      expiresS: at('2026-06-28T00:00:00Z'),
      steps: [
        { fromS: at('1972-01-01T00:00:00Z'), offsetS: 10 },
        { fromS: at('2012-07-01T00:00:00Z'), offsetS: 11 },
        { fromS: at('2017-01-01T00:00:00Z'), offsetS: 12 },
      ],
    });
  });

  test.each([
    ['nothing', ''],
    ['no end', LIST.replace(/^#@.*\n/m, '')],
    ['no leap seconds', '#@	3991593600\n'],
    ['times that go back', LIST.replace('3692217600', '3092217600')],
    ['a last line that is cut', LIST.slice(0, LIST.indexOf('2272060800') + 12)],
  ])('%s is no table', (_, text) => expect(parseLeapSecondsList(text)).toBeUndefined());

  test('a file of the other form is no table', () => {
    expect(parseTzdataLeaps(LIST)).toBeUndefined();
    expect(parseLeapSecondsList(ZIC)).toBeUndefined();
  });
});

describe('how far TAI is ahead of UTC, and who says so', () => {
  const table = { path: '/usr/share/zoneinfo/leap-seconds.list', table: parseLeapSecondsList(LIST) as LeapTable };
  const know = (now: string, tables: readonly (typeof table)[], kernelS = 0) =>
    utcOffsetOf({ nowS: at(now), tables, kernelS });

  test('a table that has not expired comes first, by the day', () => {
    expect(know('2026-06-01T00:00:00Z', [table], 36)).toEqual({ offsetS: 37, source: table.path, mostSince: 0 });
    expect(know('2016-12-31T23:59:59Z', [table]).offsetS).toBe(36);
    expect(know('2017-01-01T00:00:00Z', [table]).offsetS).toBe(37);
  });

  test('then the kernel, where somebody has told it', () => {
    expect(know('2027-01-02T00:00:00Z', [table], 38)).toEqual({
      offsetS: 38,
      source: 'the kernel (adjtimex)',
      mostSince: 0,
    });
  });

  test('a newer table that has expired, with the leap seconds that it cannot know', () => {
    const newer = { ...table, table: { ...table.table, expiresS: at('2028-06-28T00:00:00Z') } };
    expect(know('2028-06-30T00:00:00Z', [table, newer])).toMatchObject({ offsetS: 37, mostSince: 0 });
    expect(know('2029-01-02T00:00:00Z', [table, newer])).toEqual({
      offsetS: 37,
      source: `${table.path}, which expired on 2028-06-28`,
      mostSince: 2,
    });
  });

  test('at last what hft was built with, by its date', () => {
    expect(know('2026-11-22T00:00:00Z', [])).toMatchObject({ offsetS: 37, mostSince: 0 });
    expect(know('2027-01-01T00:00:00Z', [table])).toEqual({
      offsetS: 37,
      source: `hft, as of 2026-11-22 (${table.path} has expired)`,
      mostSince: 1,
    });
  });

  test('a difference of that size is named', () => {
    const offset = know('2027-01-02T00:00:00Z', [], 38);
    expect([38e9, -38e9 + 5e5, 37e9, 0].map((ns) => isLeapSeconds(ns, offset))).toEqual([true, true, false, false]);
  });
});

test('a host is asked for its table, its kernel beside it', async () => {
  const host = new FakeHost({ '/usr/share/zoneinfo/leap-seconds.list': LIST });
  host.commands.set('/probe', '{"clock":"CLOCK_REALTIME","resolutionNs":1,"taiOffsetS":38,"isSynchronised":true}\n');
  const offsetAt = async (now: string) =>
    (await lookAtPtp(host, { atMs: 0, nowS: at(now), targets: [], probe: '/probe', clientSocket: undefined }))
      .utcOffset;
  expect(await offsetAt('2026-06-01T00:00:00Z')).toMatchObject({
    offsetS: 37,
    source: expect.stringContaining('list'),
  });
  expect(await offsetAt('2027-06-01T00:00:00Z')).toMatchObject({ offsetS: 38, source: 'the kernel (adjtimex)' });
});

describe('what the grandmaster says of UTC', () => {
  const judge = (announced: number, mostSince: number) => {
    const seen = looks(() => ({ time: { ...slave(0).time, utcOffsetS: announced } }), {
      utcOffset: { offsetS: 37, source: 'a table', mostSince },
    });
    const report = reportPtp('box', seen, STRICT);
    return { report, result: report.results.find(({ id }) => id === 'ptp.timescale@ens1f0') };
  };

  test('is held against what the host knows, which is named', () => {
    expect(judge(37, 0).result).toMatchObject({ status: 'pass', evidence: expect.stringContaining('so says a table') });
    expect(judge(38, 0).result).toMatchObject({ status: 'fail', evidence: expect.stringContaining('says a table') });
    expect(judge(37, 0).report.utcOffset).toEqual({ offsetS: 37, source: 'a table' });
  });

  test('is not known where the host may not have heard of a leap second, and wrong beyond that', () => {
    expect(judge(38, 1).result).toMatchObject({ status: 'unknown', evidence: expect.stringContaining('leap second') });
    expect(judge(39, 1).result).toMatchObject({ status: 'fail' });
  });
});
