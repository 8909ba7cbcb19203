import { describe, expect, test } from 'vitest';
import { findFreeCpus } from '../../../src/cli/latency-cpus.ts';
import { HftError } from '../../../src/errors.ts';
import { findPinned } from '../../../src/launch/pinned.ts';
import { FakeHost } from '../../fake-host.ts';
import { buildMachine, type MachineShape } from '../../machine-builder.ts';

interface Running {
  readonly pid: number;
  readonly tid?: number;
  readonly name: string;
  readonly allowed: string;
  readonly isKernel?: boolean;
}

/** hft on the housekeeping CPUs, and others. */
function running(others: readonly Running[], own = '0-3'): FakeHost {
  const status = ({ name, allowed, isKernel = false }: Running) =>
    `Name:\t${name}\n${isKernel ? '' : 'VmRSS:\t    1024 kB\n'}Cpus_allowed_list:\t${allowed}\n`;
  const files = others.map((each) => [`/proc/${each.pid}/task/${each.tid ?? each.pid}/status`, status(each)]);
  return new FakeHost({
    '/proc/self/status': status({ pid: 1, name: 'hft', allowed: own }),
    '/proc/uptime': '1 1\n',
    ...Object.fromEntries(files),
  });
}

const ISOLATED: MachineShape = { host: 'box7', kernel: { isolated: [4, 5, 6, 7] } };
const HOT = { pid: 900, tid: 901, name: 'md-rx', allowed: '4' };

function choose(others: readonly Running[], expression?: string, shape = ISOLATED, own?: string) {
  const host = running(others, own);
  const question = { machine: buildMachine(shape), layout: undefined, expression };
  return findFreeCpus({ pinnedTo: (cpus) => findPinned(host, cpus) }, question);
}

describe('where somebody is pinned it is not measured', () => {
  test('nobody: all of them', async () => {
    expect(await choose([])).toEqual({ cpus: [4, 5, 6, 7], why: 'the isolated CPUs' });
  });

  test('a thread of a process, by its own name', async () => {
    expect(await choose([{ ...HOT, tid: 900, name: 'gateway', allowed: '0-3' }, HOT])).toEqual({
      cpus: [5, 6, 7],
      why: 'the isolated CPUs, without the cores of 4: md-rx of process 900 to 4',
    });
  });

  test('hyperthreads of its core neither', async () => {
    const shape = { ...ISOLATED, coresPerPackage: 2, threads: 2, kernel: { isolated: [2, 3, 6, 7] } };
    expect((await choose([{ ...HOT, allowed: '6' }], undefined, shape, '0,1,4,5')).cpus).toEqual([3, 7]);
  });

  test.each<[string, Running]>([
    ['a thread of the kernel', { ...HOT, isKernel: true }],
    ['who may also run elsewhere', { ...HOT, allowed: '3-4' }],
    ['who may run everywhere', { ...HOT, allowed: '0-7' }],
  ])('%s is nobody pinned', async (_, other) => {
    expect((await choose([other])).cpus).toEqual([4, 5, 6, 7]);
  });

  test('in a container that has only such CPUs its other processes are not pinned, but who has fewer is', async () => {
    const shell = { pid: 7, name: 'bash', allowed: '4-7' };
    expect((await choose([shell, HOT], undefined, ISOLATED, '4-7')).cpus).toEqual([5, 6, 7]);
  });

  test('they are measured when asked for by number, and it is said who is disturbed', async () => {
    expect(await choose([HOT], '4,5')).toEqual({
      cpus: [4, 5],
      why: 'as asked, --cpus 4,5, although pinned there: md-rx of process 900 to 4',
    });
  });

  test('none left: refused, with who is there', async () => {
    const four = [4, 5, 6, 7].map((cpu) => ({ ...HOT, tid: 900 + cpu, name: `rx-${cpu}`, allowed: String(cpu) }));
    const refused = choose([...four, { ...HOT, pid: 950, tid: 950, name: 'strategy', allowed: '5-6' }]);
    await expect(refused).rejects.toThrow(HftError);
    await expect(refused).rejects.toMatchObject({
      message:
        'Every CPU to be measured (4-7: the isolated CPUs) is of a core that somebody is pinned to: rx-4 of process 900 to 4, rx-5 of process 900 to 5, rx-6 of process 900 to 6, rx-7 of process 900 to 7, and 1 more. A probe would disturb them.',
      exitCode: 1,
      next: ['Stop them first (`hft ps`, `hft stop`), or disturb them: `--cpus 4-7`. Nothing was measured.'],
    });
  });
});
