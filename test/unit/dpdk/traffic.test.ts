import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PortStats, Telemetry } from '../../../src/dpdk/telemetry.ts';
import { judgeTraffic } from '../../../src/dpdk/traffic.ts';
import { type TrafficRun, trafficCommand } from '../../../src/dpdk/traffic-script.ts';

const RUN: TrafficRun = {
  over: 'net_af_packet',
  probe: '/usr/lib/hft/dist/hft-probe',
  filePrefix: 'hft-verify-1',
  mainLcore: 0,
  worker: 3,
  ports: [],
  memoryMib: undefined,
  durationS: 2,
  bursts: 1,
};

function port(opackets: number, ipackets: number, more: Partial<PortStats> = {}): PortStats {
  return { opackets, ipackets, imissed: 0, ierrors: 0, oerrors: 0, rxNombuf: 0, ...more };
}

function telemetryOf(...stats: PortStats[]): Telemetry {
  return { version: 'DPDK 22.11.11', ports: stats.map((_, index) => index), stats };
}

function forwarded(received: number): string {
  const line = '++++++++++++++++++++++++++++++++++++++++++++++++++++++++';
  return `+++++ Accumulated forward statistics for all ports+++++
  RX-packets: ${received}  RX-dropped: 0  RX-total: ${received}
  TX-packets: ${received}  TX-dropped: 0  TX-total: ${received}
  ${line}
`;
}

describe('two ports that are wired to each other', () => {
  test('all that was sent arrived', () => {
    const end = { exitCode: 0, telemetry: telemetryOf(port(1000, 900), port(900, 1000)), said: '' };
    expect(judgeTraffic(RUN, end)).toMatchObject({ status: 'pass', actual: '1900 sent, 1900 received' });
  });

  test('a loss that no counter shows is a failure that says so', () => {
    const end = { exitCode: 0, telemetry: telemetryOf(port(1000, 1000), port(1000, 760)), said: '' };
    const verdict = judgeTraffic(RUN, end);
    expect(verdict).toMatchObject({ status: 'fail', actual: '240 of 2000 lost (12.00%), 240 of them counted nowhere' });
  });

  test('a loss that the driver counts is told apart', () => {
    const end = { exitCode: 0, telemetry: telemetryOf(port(1000, 1000), port(1000, 990, { imissed: 10 })), said: '' };
    expect(judgeTraffic(RUN, end).actual).toContain('10 of 2000 lost (0.50%), 0 of them counted nowhere');
  });

  test('more received than sent proves nothing', () => {
    const end = { exitCode: 0, telemetry: telemetryOf(port(1000, 1000), port(1000, 1001)), said: '' };
    expect(judgeTraffic(RUN, end)).toMatchObject({ status: 'unknown' });
  });

  test('nothing sent is no pass', () => {
    const end = { exitCode: 0, telemetry: telemetryOf(port(0, 0), port(0, 0)), said: '' };
    expect(judgeTraffic(RUN, end)).toMatchObject({ status: 'fail', actual: 'nothing was sent' });
  });

  test('one port alone: what arrives is not known', () => {
    const run = { ...RUN, over: 'pci', ports: ['0000:3b:00.0'] } as const;
    const end = { exitCode: 0, telemetry: telemetryOf(port(5000, 0)), said: '' };
    expect(judgeTraffic(run, end)).toMatchObject({ status: 'unknown', actual: '5000 sent by one port' });
  });
});

describe('net_null, which makes what it receives', () => {
  const run = { ...RUN, over: 'net_null' } as const;
  test.each([
    ['all that was taken was sent on', 64, 'pass'],
    ['a burst was not', 32, 'fail'],
  ])('%s', (_, first, status) => {
    const telemetry = telemetryOf(port(5000 + first, 6000), port(5000, 6000));
    expect(judgeTraffic(run, { exitCode: 0, telemetry, said: forwarded(10000) })).toMatchObject({ status });
  });

  test('without testpmd’s own count there is no pass', () => {
    const telemetry = telemetryOf(port(5032, 6000), port(5032, 6000));
    expect(judgeTraffic(run, { exitCode: 0, telemetry, said: '' })).toMatchObject({ status: 'fail' });
  });
});

describe('without counters', () => {
  test('the reason is what EAL said', () => {
    const said =
      'EAL: FATAL: Cannot get hugepage information.\nEAL: Error - exiting with code: 1\n  Cause: Cannot init EAL: Permission denied\n';
    expect(judgeTraffic(RUN, { exitCode: 1, telemetry: undefined, said })).toMatchObject({
      status: 'fail',
      actual: 'no counters',
      evidence: expect.stringContaining('Cannot get hugepage information.; Cannot init EAL: Permission denied'),
    });
  });

  test('a port that was not probed, with exit code 0', () => {
    const end = { exitCode: 0, telemetry: telemetryOf(port(10, 10)), said: 'Bye...\n' };
    expect(judgeTraffic(RUN, end)).toMatchObject({ status: 'fail', actual: '1 of 2 ports' });
  });

  test('nothing that is said makes a pass', () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.integer(),
        fc.constantFrom('net_null', 'net_af_packet', 'pci' as const),
        (said, exitCode, over) => {
          expect(judgeTraffic({ ...RUN, over }, { exitCode, telemetry: undefined, said }).status).not.toBe('pass');
        },
      ),
    );
  });

  test('a pass means that every counter agrees', () => {
    const counts = fc.tuple(fc.nat(2000), fc.nat(2000), fc.nat(20)).map(([o, i, imissed]) => port(o, i, { imissed }));
    fc.assert(
      fc.property(counts, counts, (left, right) => {
        const { status } = judgeTraffic(RUN, { exitCode: 0, telemetry: telemetryOf(left, right), said: '' });
        const isRight =
          left.opackets === right.ipackets &&
          right.opackets === left.ipackets &&
          left.opackets > 0 &&
          right.opackets > 0;
        expect(status === 'pass').toBe(isRight);
      }),
    );
  });
});

describe('the command of a run', () => {
  test('virtual devices are in a network namespace of their own and touch neither PCI nor hugepages', () => {
    const words = trafficCommand(RUN);
    expect(words.slice(0, 3)).toEqual(['unshare', '--net', '--']);
    for (const word of ['--no-pci', '--no-huge', '--vdev=net_af_packet0,iface=hft0']) expect(words).toContain(word);
  });

  test('a NIC is allowed by its address alone, with memory of its node, and leaves no hugepage files', () => {
    const words = trafficCommand({ ...RUN, over: 'pci', ports: ['0000:3b:00.0', '0000:3b:00.1'], memoryMib: [0, 256] });
    expect(words[0]).toBe('sh');
    const testpmd = words.slice(words.indexOf('dpdk-testpmd'));
    for (const word of ['-a', '0000:3b:00.0', '0000:3b:00.1', '--socket-mem=0,256', '--huge-unlink'])
      expect(testpmd).toContain(word);
  });

  test('on one CPU both lcores share it', () => {
    const words = trafficCommand({ ...RUN, worker: 0 });
    expect(words[words.indexOf('--lcores') + 1]).toBe('0@0,1@0');
  });
});
