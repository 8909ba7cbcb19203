import { type PtpClock, readClock } from '../../../src/ptp/data-sets.ts';
import type { ClockLook, PtpLook } from '../../../src/ptp/look.ts';
import { parsePmc } from '../../../src/ptp/pmc-text.ts';
import { answersOf } from './captures.ts';

export const captured = readClock(parsePmc(answersOf('pmc-4.4.txt', 'sl.uds'))) as PtpClock;

/** A slave with a card that stamps, at the n-th look: of the capture with what hardware and a traceable grandmaster change. */
export function slave(look: number, changed: Partial<PtpClock> = {}): PtpClock {
  const [port] = captured.ports;
  if (port === undefined) throw new Error('the capture has no port');
  return {
    ...captured,
    offsetNs: 12 - look,
    pathDelayNs: 431,
    ingressTimeNs: captured.ingressTimeNs + BigInt(look) * 1_000_000_000n,
    time: { utcOffsetS: 37, isUtcOffsetValid: true, isPtpTimescale: true, isTraceable: true, leap: undefined },
    ports: [{ ...port, interface: 'ens1f0', state: 'SLAVE', timestamping: 'HARDWARE' }],
    ...changed,
  };
}

export const READING = { clock: '/dev/ptp0', method: 'extended', offsetNs: -37e9 + 5, delayNs: 40 } as const;
const PTP4L = {
  socket: '/run/hft-ptp/ptp4l',
  readOnlySocket: '/run/hft-ptp/ptp4lro',
  domain: 24,
  isFreeRunning: false,
  stamps: 'hardware',
  interfaces: ['ens1f0'],
} as const;
export const DAEMONS = [
  {
    name: 'ptp4l',
    pid: 7,
    unit: 'hft-ptp4l.service',
    steers: ['/dev/ptp0'],
    command: 'ptp4l',
    ptp4l: PTP4L,
  },
  { name: 'phc2sys', pid: 8, unit: 'hft-phc2sys.service', steers: ['CLOCK_REALTIME'], command: 'phc2sys -a -r' },
];

export function looks(
  change: (look: number) => Partial<PtpClock> | { problem: string } = () => ({}),
  more: Partial<PtpLook> = {},
  reading: ClockLook['reading'] = READING,
): readonly PtpLook[] {
  return [0, 1, 2, 3, 4, 5].map((look): PtpLook => {
    const changed = change(look);
    const clock = 'problem' in changed ? changed : slave(look, changed);
    return {
      atMs: look * 1000,
      nowS: 1_795_000_000 + look,
      clocks: [{ target: { socket: '/run/hft-ptp/ptp4l', domain: 24 }, clock, reading }],
      daemons: DAEMONS,
      system: { resolutionNs: 1, taiOffsetS: 37, isSynchronised: true },
      utcOffset: { offsetS: 37, source: '/usr/share/zoneinfo/leap-seconds.list', mostSince: 0 },
      chrony: undefined,
      phc2sys: { state: 's2', offsetNs: 3 },
      ...more,
    };
  });
}
