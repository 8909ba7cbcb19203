import { describe, expect, test } from 'vitest';
import { parseClockReadings } from '../../../src/ptp/clock-readings.ts';
import type { PtpClock } from '../../../src/ptp/data-sets.ts';
import type { PtpLook } from '../../../src/ptp/look.ts';
import { ptpMetrics } from '../../../src/ptp/metrics.ts';
import { reportPtp } from '../../../src/ptp/report.ts';
import { STRICT } from './expected.ts';
import { captured, DAEMONS, looks, READING, slave } from './looks.ts';

const NOTHING: Partial<PtpClock> = {};

const wrongOf = (seen: readonly PtpLook[], expectation = STRICT) =>
  reportPtp('box', seen, expectation)
    .results.filter(({ status }) => status !== 'pass')
    .map(({ id, status }) => `${id} ${status}`);

describe('a card that stamps and a traceable grandmaster', () => {
  test('passes the strict limits, with the sum of its parts', () => {
    const report = reportPtp('box', looks(), STRICT);
    expect(wrongOf(looks())).toEqual([]);
    expect(report.summary).toMatchObject({ fail: 0, unknown: 0 });
    expect(report.clocks[0]?.budget.parts.map(({ name, ns }) => [name, ns])).toEqual([
      ['offset', 12],
      ['system', 5],
      ['reading', 20],
      ['grandmaster', 100],
    ]);
    expect(report.clocks[0]?.limits.map(({ name, valueNs }) => [name, valueNs])).toEqual([
      ['internal', 37],
      ['rts-25', 137],
      ['cat', 137],
    ]);
  });

  test('the PTP clock in UTC, or the system clock in TAI, is 37 s off and named', () => {
    for (const offsetNs of [5, -74e9]) {
      const seen = looks(undefined, {}, { ...READING, offsetNs });
      const { results } = reportPtp('box', seen, STRICT);
      expect(results.find(({ id }) => id === 'ptp.system@ens1f0')).toMatchObject({
        status: 'fail',
        evidence: expect.stringContaining('TAI taken for UTC'),
      });
      expect(wrongOf(seen)).toContain('ptp.limit@ens1f0/rts-25 fail');
    }
  });

  test('a PTP clock that cannot be read leaves the sum open', () => {
    const seen = looks(undefined, {}, { clock: '/dev/ptp0', error: 'EACCES' });
    expect(wrongOf(seen)).toEqual([
      'ptp.system@ens1f0 unknown',
      'ptp.limit@ens1f0/internal unknown',
      'ptp.limit@ens1f0/rts-25 unknown',
      'ptp.limit@ens1f0/cat unknown',
    ]);
  });

  test.each([
    [
      'a coarse clock',
      { system: { resolutionNs: 4_000_000, taiOffsetS: 37, isSynchronised: true } },
      ['ptp.limit@ens1f0/rts-25 fail'],
    ],
    ['a servo that lost its lock', { phc2sys: { state: 's0', offsetNs: 90_000 } }, ['ptp.servo@phc2sys fail']],
    ['nobody who steers', { daemons: [DAEMONS[0]] }, ['ptp.steering@CLOCK_REALTIME fail']],
  ] as const)('%s', (_, more, wrong) => expect(wrongOf(looks(undefined, more as Partial<PtpLook>))).toEqual(wrong));

  test.each<readonly [string, (look: number) => Partial<PtpClock> | { problem: string }, readonly string[]]>([
    [
      'a grandmaster that changes',
      (look: number) => ({
        grandmaster: { ...captured.grandmaster, identity: look < 3 ? 'ca8c99.fffe.7f65a9' : 'ca8c99.fffe.7f65aa' },
      }),
      ['ptp.grandmaster@ens1f0 fail'],
    ],
    [
      'an accuracy that nobody knows',
      () => ({ grandmaster: { ...captured.grandmaster, accuracy: 0xfe } }),
      ['ptp.clock-accuracy@ens1f0 unknown', 'ptp.limit@ens1f0/rts-25 unknown', 'ptp.limit@ens1f0/cat unknown'],
    ],
    [
      'one look in which the port was not following',
      (look: number) =>
        look === 2
          ? { ports: [{ ...(slave(0).ports[0] as PtpClock['ports'][number]), state: 'FAULTY' as const }] }
          : {},
      ['ptp.port-state@ens1f0 fail'],
    ],
    [
      'one answer that did not come',
      (look: number) => (look === 2 ? { problem: 'nothing answered' } : NOTHING),
      ['ptp.daemon@/run/hft-ptp/ptp4l unknown'],
    ],
    [
      'an excursion in one look',
      (look: number) => (look === 2 ? { offsetNs: -2_000 } : {}),
      ['ptp.offset@ens1f0 fail', 'ptp.limit@ens1f0/internal fail'],
    ],
  ])('%s', (_, change, wrong) => expect(wrongOf(looks(change))).toEqual(wrong));
});

describe('time that does not go on', () => {
  test('a frozen ingress time: nothing that an old Sync left passes', () => {
    const seen = looks(() => ({ ingressTimeNs: captured.ingressTimeNs, offsetNs: -3 }));
    const { results, clocks } = reportPtp('box', seen, STRICT);
    const passed = results.filter(({ status }) => status === 'pass').map(({ id }) => id);
    expect(passed).toEqual([
      'ptp.daemon@/run/hft-ptp/ptp4l',
      'ptp.port-state@ens1f0',
      'ptp.steering@CLOCK_REALTIME',
      'ptp.steering@/dev/ptp0',
      'ptp.servo@phc2sys',
    ]);
    expect(clocks[0]?.budget).toMatchObject({ hostNs: undefined, utcNs: undefined });
  });

  test('Sync that stopped in the middle is missed by the end', () => {
    const seen = looks((look) => (look > 1 ? { ingressTimeNs: slave(1).ingressTimeNs } : {}));
    expect(wrongOf(seen)).toContain('ptp.sync@ens1f0 fail');
  });

  test('an interval that is not known (127) is no patience without an end', () => {
    const port = slave(0).ports[0] as PtpClock['ports'][number];
    const seen = looks((look) => ({
      ports: [{ ...port, logSyncInterval: 127 }],
      ingressTimeNs: captured.ingressTimeNs + BigInt(Math.min(look, 1)),
    })).map((look, index) => ({ ...look, atMs: index * 30_000 }));
    expect(wrongOf(seen)).toContain('ptp.sync@ens1f0 fail');
  });

  test('phc2sys of hft that wrote nothing in the last minute is not locked', () => {
    expect(wrongOf(looks(undefined, { phc2sys: 'silent' }))).toEqual(['ptp.servo@phc2sys unknown']);
  });

  test('a chronyd whose source is gone says that it is synchronised, and does not pass', () => {
    const chronyd = { name: 'chronyd', pid: 9, unit: 'chrony.service', steers: ['CLOCK_REALTIME'], command: 'chronyd' };
    const [ptp4l] = DAEMONS as unknown as PtpLook['daemons'];
    const tracking = {
      ...{ source: 'PHC0', stratum: 2, isSynchronised: true, systemOffsetS: 1e-8, lastOffsetS: 0, rmsOffsetS: 0 },
      ...{ frequencyPpm: 0, residualPpm: 0, skewPpm: 0, rootDelayS: 0, rootDispersionS: 0, updateIntervalS: 16 },
      leap: 'Normal',
    };
    const wrongAfter = (ageS: number) =>
      wrongOf(
        looks(undefined, {
          daemons: [...(ptp4l ? [ptp4l] : []), chronyd],
          phc2sys: undefined,
          nowS: 1_795_000_000,
          chrony: { ...tracking, referenceTimeS: 1_795_000_000 - ageS },
        }),
      );
    expect(wrongAfter(100)).toEqual([]);
    expect(wrongAfter(200)).toEqual(['ptp.chrony@tracking fail']);
  });

  test('one look proves nothing', () => {
    const { results } = reportPtp('box', looks().slice(0, 1), STRICT);
    expect(results.find(({ id }) => id === 'ptp.sync@ens1f0')?.status).toBe('unknown');
    expect(results.find(({ id }) => id === 'ptp.offset@ens1f0')?.status).toBe('unknown');
  });

  test('without root no answer is no verdict', () => {
    const silent = looks(() => ({ problem: 'nothing answered' }));
    expect(wrongOf(silent, { ...STRICT, isPrivileged: false })).toEqual(['ptp.daemon@/run/hft-ptp/ptp4l unknown']);
    expect(wrongOf(silent)).toEqual(['ptp.daemon@/run/hft-ptp/ptp4l fail']);
  });

  test('no ptp4l at all', () => {
    expect(wrongOf([{ ...(looks()[0] as PtpLook), clocks: [], daemons: [] }])).toEqual([
      'ptp.daemon@ptp4l fail',
      'ptp.steering@CLOCK_REALTIME fail',
    ]);
  });
});

test('a ptp4l whose configuration cannot be read is asked for by name', () => {
  const daemons = [{ name: 'ptp4l', pid: 7, unit: undefined, steers: undefined, command: 'ptp4l -f x' }];
  const seen = [{ ...(looks()[0] as PtpLook), clocks: [], daemons }];
  expect(wrongOf(seen)).toEqual(['ptp.daemon@ptp4l unknown', 'ptp.steering@CLOCK_REALTIME unknown']);
});

describe('metrics', () => {
  test('every family has its help and type, and values in its unit', () => {
    const text = ptpMetrics(reportPtp('box', looks(), STRICT));
    expect(text).toContain('hft_ptp_offset_seconds{iface="ens1f0"} 7e-9\n');
    expect(text).toContain('openshift_ptp_offset_ns{from="master",process="ptp4l",node="box",iface="ens1f0"} 7\n');
    expect(text).toContain('openshift_ptp_clock_state{process="ptp4l",node="box",iface="ens1f0"} 1\n');
    expect(text).toContain('hft_phc2sys_offset_seconds{iface="ens1f0"} 5e-9\n');
    const families = new Set([...text.matchAll(/^(\w+)\{/gm)].map(([, name]) => name));
    for (const name of families) expect(text).toContain(`# HELP ${name} `);
    for (const name of families) expect(text).toContain(`# TYPE ${name} gauge\n`);
  });

  test('a clock that does not answer has no values, and its check is 0', () => {
    const text = ptpMetrics(
      reportPtp(
        'box',
        looks(() => ({ problem: 'nothing answered' })),
        STRICT,
      ),
    );
    expect(text).not.toContain('hft_ptp_offset_seconds');
    expect(text).toContain('hft_ptp_check{id="ptp.daemon@/run/hft-ptp/ptp4l"} 0\n');
  });

  test('a configuration that cannot be read leaves open who steers', () => {
    const daemons = [{ ...DAEMONS[0], steers: undefined }, DAEMONS[1]];
    expect(wrongOf(looks(undefined, { daemons } as Partial<PtpLook>))).toEqual(['ptp.steering@CLOCK_REALTIME unknown']);
  });

  test('a port that lost Sync is not called locked, and has no offset', () => {
    const lost = ptpMetrics(
      reportPtp(
        'box',
        looks(() => ({ ingressTimeNs: 0n })),
        STRICT,
      ),
    );
    expect(lost).not.toContain('hft_ptp_offset_seconds{');
    expect(lost).toContain('openshift_ptp_offset_ns{from="master",process="ptp4l",node="box",iface="ens1f0"} 999999\n');
    expect(
      ptpMetrics(
        reportPtp(
          'box',
          looks(() => ({ ingressTimeNs: 0n })),
          STRICT,
        ),
      ),
    ).toContain('openshift_ptp_clock_state{process="ptp4l",node="box",iface="ens1f0"} 0\n');
  });
});

describe('clock readings', () => {
  const system = '{"clock":"CLOCK_REALTIME","resolutionNs":1,"taiOffsetS":37,"isSynchronised":true,"maxErrorUs":5}\n';
  const device = '{"clock":"/dev/ptp0","method":"extended","offsetNs":-36999999995,"delayNs":40}\n';

  test('lines of hft-probe', () => {
    expect(parseClockReadings(`${system}${device}{"clock":"/dev/ptp1","error":"ENODEV"}\n`)).toEqual({
      system: { resolutionNs: 1, taiOffsetS: 37, isSynchronised: true },
      devices: [
        { clock: '/dev/ptp0', method: 'extended', offsetNs: -36999999995, delayNs: 40 },
        { clock: '/dev/ptp1', error: 'ENODEV' },
      ],
    });
  });

  test('cut anywhere there is no half value', () => {
    const text = `${system}${device}`;
    for (let at = 0; at < text.length; at++) expect(parseClockReadings(text.slice(0, at)).devices).toEqual([]);
    for (const wrong of [
      'null\n',
      '[]\n',
      '{"clock":"/dev/ptp0","method":"guess","offsetNs":0,"delayNs":1}\n',
      '{"clock":"/dev/ptp0","method":"extended","offsetNs":0.5,"delayNs":1}\n',
    ])
      expect(parseClockReadings(wrong)).toEqual({ system: undefined, devices: [] });
  });
});
