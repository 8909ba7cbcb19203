import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseSources, parseTracking } from '../../../src/ptp/chrony-text.ts';
import { type PtpClock, readClock } from '../../../src/ptp/data-sets.ts';
import { parsePmc } from '../../../src/ptp/pmc-text.ts';
import { findLastSample, parseServoLine } from '../../../src/ptp/servo-log.ts';
import { parseTimestamping } from '../../../src/topology/ethtool-text.ts';
import { answersOf, CAPTURES, capture } from './captures.ts';

const SLAVES = [
  ['3.1.1', answersOf('pmc-3.1.1.txt', 'ptp/sl.uds')],
  ['4.4', answersOf('pmc-4.4.txt', 'sl.uds')],
] as const;

const clockOf = (text: string) => readClock(parsePmc(text));

function mustBeClock(text: string): PtpClock {
  const clock = clockOf(text);
  if ('problem' in clock) throw new Error(clock.problem);
  return clock;
}

describe('pmc', () => {
  test('a slave of 3.1.1', () => {
    expect(mustBeClock(SLAVES[0][1])).toEqual({
      identity: '12221d.fffe.e3e9f7',
      domain: 24,
      slaveOnly: true,
      twoStep: true,
      offsetNs: 70,
      ingressTimeNs: 1795169419671942801n,
      pathDelayNs: 2764,
      stepsRemoved: 1,
      grandmaster: { isPresent: true, identity: 'ca8c99.fffe.7f65a9', class: 6, accuracy: 0x21 },
      time: { utcOffsetS: 37, isUtcOffsetValid: false, isPtpTimescale: false, isTraceable: false, leap: undefined },
      ports: [
        {
          number: 1,
          state: 'UNCALIBRATED',
          interface: 'rdsl0',
          timestamping: 'SOFTWARE',
          logSyncInterval: -3,
          received: { sync: 368, announce: 47 },
        },
      ],
    });
  });

  test('a slave of 4.4 tells the same things', () => {
    const clock = mustBeClock(SLAVES[1][1]);
    expect(clock).toMatchObject({ offsetNs: -258, ingressTimeNs: 1795169534552408697n, pathDelayNs: 2295 });
    expect(clock.ports).toMatchObject([{ state: 'UNCALIBRATED', interface: 'rdsl0', timestamping: 'SOFTWARE' }]);
  });

  test('errors, refused commands and silence are no answers', () => {
    expect(parsePmc('sending: GET TIME_STATUS_NP\n')).toEqual([]);
    expect(parsePmc('bad command: GET PORT_HWCLOCK_NP\n')).toEqual([]);
    expect(parsePmc('\t12221d.fffe.e3e9f7-0 seq 0 RESPONSE MANAGEMENT_ERROR_STATUS \n')).toEqual([]);
    expect(clockOf('')).toEqual({ problem: 'nothing answered' });
  });

  test('what is missing, doubled or no value is named', () => {
    const [, text] = SLAVES[0];
    const edited = (from: RegExp | string, to: string) => clockOf(text.replace(from, to));
    expect(edited(/master_offset +70/, 'master_offset  perfect')).toEqual({
      problem: 'TIME_STATUS_NP has master_offset "perfect"',
    });
    expect(edited(/\t\tmaster_offset.*\n/, '')).toEqual({ problem: 'TIME_STATUS_NP has no master_offset' });
    expect(edited(/portState +UNCALIBRATED/, 'portState SLAVED')).toEqual({
      problem: 'PORT_DATA_SET has portState "SLAVED"',
    });
    expect(edited(/numberPorts +1/, 'numberPorts 2')).toEqual({ problem: 'PORT_DATA_SET is not there for every port' });
    expect(edited('RESPONSE MANAGEMENT CURRENT_DATA_SET', 'RESPONSE MANAGEMENT_ERROR_STATUS')).toEqual({
      problem: 'CURRENT_DATA_SET is missing',
    });
    expect(clockOf(text + text)).toEqual({ problem: 'TIME_STATUS_NP was answered 2 times' });
    expect(edited(/gmIdentity +ca8c99/, 'gmIdentity ca8c98')).toEqual({
      problem: 'PARENT_DATA_SET and TIME_STATUS_NP name two grandmasters',
    });
    expect(edited(/master_offset +70/, 'master_offset 70\n\t\tmaster_offset 0')).toEqual({
      problem: 'TIME_STATUS_NP is missing',
    });
  });

  test.each(SLAVES)('cut anywhere it is a problem or the same clock (%s)', (_, text) => {
    const { ports, ...whole } = mustBeClock(text);
    for (let at = 0; at < text.length; at++) {
      const clock = clockOf(text.slice(0, at));
      if ('problem' in clock) continue;
      const { ports: seen, ...rest } = clock;
      expect(rest).toEqual(whole);
      // Only what not every ptp4l says may be missing.
      expect(seen.map(({ state, number }) => [state, number])).toEqual(
        ports.map(({ state, number }) => [state, number]),
      );
      for (const port of seen) expect([undefined, 'SOFTWARE']).toContain(port.timestamping);
    }
  });

  test('one byte turned is a problem, or a value of the right form', () => {
    const [, text] = SLAVES[0];
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.integer({ min: 0, max: 255 }), (at, byte) => {
        const clock = clockOf(text.slice(0, at) + String.fromCharCode(byte) + text.slice(at + 1));
        if ('problem' in clock) return clock.problem !== '';
        return Number.isSafeInteger(clock.offsetNs) && Number.isFinite(clock.pathDelayNs) && clock.ports.length === 1;
      }),
      { numRuns: 3000 },
    );
  });

  test('garbage is no clock', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (text) => 'problem' in clockOf(text)));
    const lines = SLAVES[0][1].split('\n');
    fc.assert(
      fc.property(
        fc.shuffledSubarray(lines, { maxLength: lines.length - 20 }),
        (some) => 'problem' in clockOf(some.join('\n')),
      ),
    );
  });
});

describe('logs', () => {
  test('samples of every daemon', () => {
    expect(parseServoLine('ptp4l[1049.605]: master offset       -792 s0 freq    +270 path delay      2364')).toEqual({
      tells: 'sample',
      daemon: 'ptp4l',
      clock: 'master',
      offsetNs: -792,
      state: 's0',
      frequencyPpb: 270,
      delayNs: 2364,
    });
    expect(
      parseServoLine('phc2sys[213.287]: CLOCK_REALTIME phc offset       -13 s2 freq   +4145 delay    560'),
    ).toMatchObject({
      clock: 'CLOCK_REALTIME',
      offsetNs: -13,
      state: 's2',
      delayNs: 560,
    });
    for (const line of ['ts2phc[1.2]: ens2f1 master offset 0 s2 freq -0', 'ts2phc[1.2]: ens2f1 offset 0 s2 freq -0'])
      expect(parseServoLine(line)).toMatchObject({ daemon: 'ts2phc', clock: 'ens2f1', offsetNs: 0, state: 's2' });
  });

  test('states with and without the name of the port', () => {
    const told = { tells: 'state', port: 1, from: 'LISTENING', to: 'UNCALIBRATED', event: 'RS_SLAVE' };
    expect(parseServoLine('ptp4l[1048.600]: port 1 (rdsl0): LISTENING to UNCALIBRATED on RS_SLAVE')).toMatchObject(
      told,
    );
    expect(parseServoLine('ptp4l[900.281]: port 1: LISTENING to UNCALIBRATED on RS_SLAVE')).toMatchObject(told);
  });

  test.each(CAPTURES.filter((name) => name.endsWith('.log')))('%s is understood', (name) => {
    const told = capture(name)
      .split('\n')
      .flatMap((line) => parseServoLine(line) ?? []);
    expect(told.length).toBeGreaterThan(0);
    expect(told.some(({ tells }) => tells === 'state')).toBe(true);
    const samples = capture(name).match(/ offset +-?\d+ s\d/g)?.length ?? 0;
    expect(told.filter(({ tells }) => tells === 'sample')).toHaveLength(samples);
  });

  test('the last sample counts', () => {
    expect(findLastSample(capture('vm-f17-phc2sys-domain.txt'), 'phc2sys')).toMatchObject({ offsetNs: -3727 });
    expect(findLastSample(capture('vm-phc2sys.txt'), 'phc2sys')).toMatchObject({ clock: 'enp2s0', state: 's2' });
    expect(findLastSample(capture('vm-phc2sys.txt'), 'ptp4l')).toBeUndefined();
  });

  test('a cut line is no other sample', () => {
    const line = 'phc2sys[213.287]: CLOCK_REALTIME phc offset       -13 s2 freq   +4145 delay    560';
    for (let at = 0; at < line.length - 2; at++) {
      const told = parseServoLine(line.slice(0, at));
      expect(told === undefined || (told.tells === 'sample' && told.offsetNs === -13 && told.state === 's2')).toBe(
        true,
      );
    }
  });
});

describe('chronyc', () => {
  const lines = capture('vm-chrony-phc.txt').split('\n');
  const synchronised = `${lines.find((line) => line.startsWith('50484330,PHC0'))}\n`;

  test('tracking', () => {
    expect(parseTracking(synchronised)).toEqual({
      source: 'PHC0',
      stratum: 2,
      isSynchronised: true,
      systemOffsetS: -0.000000095,
      lastOffsetS: -0,
      rmsOffsetS: 0.000000001,
      frequencyPpm: 0.007,
      skewPpm: 0.001,
      rootDelayS: 0.000000001,
      rootDispersionS: 0.000002428,
      residualPpm: 0,
      referenceTimeS: 1795170974.21975,
      updateIntervalS: 1,
      leap: 'Normal',
    });
  });

  test('offset 0 of one that follows nobody is not synchronised', () => {
    const line = capture('vm-f17-phc2sys-domain.txt')
      .split('\n')
      .find((each) => each.startsWith('00000000,,0'));
    expect(parseTracking(`${line}\n`)).toMatchObject({ isSynchronised: false, systemOffsetS: 0 });
  });

  test('sources', () => {
    expect(parseSources('#,*,PHC0,1,0,377,1,-0.000000001,-0.000000001,0.000001110\n')).toEqual([
      { kind: 'local', isSelected: true, name: 'PHC0', reach: 255 },
    ]);
    expect(parseSources('506 Cannot talk to daemon\n')).toEqual([]);
  });

  test('cut, wrong or strange text says nothing', () => {
    for (let at = 0; at < synchronised.length; at++) expect(parseTracking(synchronised.slice(0, at))).toBeUndefined();
    expect(parseTracking(synchronised.replace('Normal', 'Fine'))).toBeUndefined();
    expect(parseTracking(synchronised.replace('0.007', 'nan'))).toBeUndefined();
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => parseTracking(text) === undefined));
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => parseSources(text).length === 0));
  });
});

describe('ethtool -T', () => {
  test('a card, and a pair of veth', () => {
    const card = parseTimestamping(capture('ethtool-T.igb.txt'));
    expect(card).toMatchObject({
      clock: 1,
      receiveFilters: ['none', 'ptpv1-l4-sync', 'ptpv1-l4-delay-req', 'ptpv2-event'],
    });
    expect(card.capabilities).toContain('hardware-raw-clock');
    expect(parseTimestamping(capture('ethtool-T.veth.txt'))).toEqual({
      capabilities: ['software-transmit', 'software-receive', 'software-system-clock'],
      receiveFilters: [],
      clock: undefined,
    });
  });

  test('garbage has no hardware', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const { capabilities, clock } = parseTimestamping(text);
        return clock === undefined && !capabilities.includes('hardware-raw-clock');
      }),
    );
  });
});
