import { describe, expect, test } from 'vitest';
import { coreToCore } from '../../../src/latency/core-to-core/core-to-core.ts';
import { futex } from '../../../src/latency/futex/futex.ts';
import { probes } from '../../../src/latency/index.ts';
import { pipe } from '../../../src/latency/pipe/pipe.ts';
import { probeArguments } from '../../../src/latency/probe/measure.ts';
import type { Variant } from '../../../src/latency/probe/probe.ts';
import { controlCpuFor, refuseToSpin } from '../../../src/latency/probe/spin-rule.ts';
import { shm } from '../../../src/latency/shm/shm.ts';
import { tcp } from '../../../src/latency/tcp/tcp.ts';
import { udp } from '../../../src/latency/udp/udp.ts';
import { unixSocket } from '../../../src/latency/unix-socket/unix-socket.ts';

/** Which ways there are to run the probes, and on which CPUs they may. */
const VARIANT: Variant = { name: 'v', cpus: [2], spins: true, policy: 'other', options: {} };

describe('variants', () => {
  test.each(probes.map((probe) => [probe.name, probe] as const))(
    '%s: unique names, CPUs as asked, none without CPUs',
    (_, probe) => {
      expect(probe.variants({ cpus: [], suite: 'full' })).toEqual([]);
      for (const suite of ['quick', 'full'] as const) {
        const servers = { network: '10.0.0.7:17707' };
        const variants = probe.variants({ cpus: [4, 5, 6, 7, 8], suite, servers });
        expect(variants.length).toBeGreaterThan(0);
        expect(new Set(variants.map(({ name }) => name)).size).toBe(variants.length);
        for (const { cpus } of variants) expect([4, 5, 6, 7, 8]).toEqual(expect.arrayContaining([...cpus]));
      }
    },
  );

  test.each([
    ['jitter', undefined, 'quick', ['other']],
    ['jitter', undefined, 'full', ['other']],
    ['jitter', 'fifo', 'quick', ['fifo:1']],
    ['wakeup', undefined, 'quick', ['other', 'other']],
    ['wakeup', undefined, 'full', ['other', 'other', 'fifo:1', 'fifo:1']],
    ['wakeup', 'fifo', 'quick', ['fifo:1', 'fifo:1']],
    ['wakeup', 'other', 'full', ['other', 'other']],
  ] as const)('%s with scheduler %s in the %s suite', (name, scheduler, suite, policies) => {
    const probe = probes.find((each) => each.name === name);
    expect(probe?.variants({ cpus: [4], suite, scheduler }).map(({ policy }) => policy)).toEqual(policies);
  });

  test('pairs need two CPUs', () => {
    expect(
      [coreToCore, shm, unixSocket, pipe, futex, tcp, udp].flatMap((probe) =>
        probe.variants({ cpus: [3], suite: 'full' }),
      ),
    ).toEqual([]);
  });

  test.each([unixSocket, pipe, futex, tcp, udp].map((probe) => [probe.name, probe] as const))(
    '%s: spinning and blocking, both directions, both payloads',
    (_, probe) => {
      const names = (suite: 'quick' | 'full') => probe.variants({ cpus: [3, 4], suite }).map(({ name }) => name);
      expect(names('quick')).toEqual(['round-trip 64 B spin', 'round-trip 64 B block']);
      expect(names('full')).toHaveLength(8);
      expect(names('full')).toContain('one-way 1024 B block');
    },
  );

  test('no priority above 1 unless it is asked for', () => {
    const policies = probes.flatMap((probe) =>
      probe.variants({ cpus: [3, 4], suite: 'full' }).map(({ policy }) => policy),
    );
    expect(new Set(policies)).toEqual(new Set(['other', 'fifo:1']));
  });

  test('the command line keeps the order of a pair', () => {
    const variant: Variant = {
      name: '',
      cpus: [5, 3],
      spins: true,
      policy: 'fifo:1',
      dmaLatencyUs: 0,
      options: { payload: 64 },
    };
    const measurement = {
      program: 'p',
      probe: 'shm',
      variant,
      housekeeping: [0, 3],
      durationMs: 2,
      warmupMs: 1,
      blockMs: 100,
    };
    expect(probeArguments({ ...measurement, clock: 'kernel' }, 10).slice(0, 4)).toEqual([
      ...['shm', '--clock', 'raw'],
      '--cpus',
    ]);
    expect(probeArguments(measurement, 10).join(' ')).toBe(
      'shm --cpus 5,3 --control-cpu 0 --duration-ns 2000000 --warmup-ns 1000000 --block-ns 100000000 --deadline-ns 10000000' +
        ` --policy fifo:1 --parent ${process.pid} --dma-latency 0 --payload 64`,
    );
  });
});

describe('the last housekeeping CPU', () => {
  const spinning = (...cpus: number[]): Variant => ({ ...VARIANT, cpus });
  test.each([
    ['two CPUs, nothing isolated: one may spin', [0], [0, 1], false],
    ['two CPUs, nothing isolated: two may not', [0, 1], [0, 1], true],
    ['one CPU', [0], [0], true],
    ['isolated CPUs', [2, 3], [0, 1], false],
    ['isolated and the last housekeeping CPU', [0, 2], [0], true],
    ['all of many', [0, 1, 2, 3], [0, 1, 2, 3], true],
    ['none known', [2], [], true],
  ])('%s', (_, cpus, housekeeping, isRefused) => {
    const reason = refuseToSpin(spinning(...cpus), housekeeping);
    expect(reason !== undefined).toBe(isRefused);
    if (isRefused) expect(reason).toContain('leave none of the housekeeping CPUs');
  });

  test('what sleeps may run there', () => {
    expect(refuseToSpin({ ...VARIANT, cpus: [0, 1], spins: false }, [0, 1])).toBeUndefined();
  });

  test('the control thread takes one that does not measure', () => {
    expect(controlCpuFor(spinning(0, 2), [0, 1])).toBe(1);
    expect(controlCpuFor(spinning(0, 1), [0, 1])).toBeUndefined();
  });
});
