import { beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { readRuns } from '../../src/engine/journal.ts';
import { rollback } from '../../src/engine/rollback.ts';
import { readStatus } from '../../src/engine/status.ts';
import { parseCpulist, printCpulist } from '../../src/topology/cpulist.ts';
import { type Bystander, defineDomain, type Setting } from '../../src/tuning/domain.ts';
import { viewPlan } from '../../src/views/plan.ts';
import { makeRig, planRig, type Rig, recoverRig, stateOf, tuneRig, wantedOf } from './rig.ts';

const PARTITION = '/sys/fs/cgroup/hft.slice/cpuset.cpus.partition';
const ROOT_CPUS = '/sys/fs/cgroup/cpuset.cpus.effective';
const PF_KTHREAD = 0x00200000;

function threadFiles(pid: number, name: string, allowed: string): [string, string][] {
  const fields = ['S', 2, 0, 0, 0, -1, PF_KTHREAD, ...Array.from({ length: 12 }, () => 0), 100 + pid];
  return [
    [`/proc/${pid}/stat`, `${pid} (${name}) ${fields.join(' ')}\n`],
    [`/proc/${pid}/status`, `Name:\t${name}\nCpus_allowed_list:\t${allowed}\n`],
  ];
}

const cpusOf = ({ host }: Rig, pid: number) =>
  /^Cpus_allowed_list:\t(.*)$/m.exec(host.files.get(`/proc/${pid}/status`) ?? '')?.[1];

/**
 * What Linux 6.1 does: four CPUs on two nodes, interrupt 8 bound to CPU 3, kernel threads that run anywhere (10) or on their
 * node (11, 12, 13). CPU 3 can go offline, CPUs 2-3 can become a partition.
 */
function makeKernel(settings: readonly Setting[]): Rig {
  const rig = makeRig();
  const { host } = rig;
  const files = [
    ...threadFiles(10, 'kthreadd', '0-3'),
    ...threadFiles(11, 'kswapd0', '0-1'),
    ...threadFiles(12, 'kswapd1', '2-3'),
    ...threadFiles(13, 'mine', '0'),
  ];
  for (const [path, text] of files) host.files.set(path, text);
  for (const cpu of [2, 3]) {
    const folder = `/sys/devices/system/cpu/cpu${cpu}/topology`;
    host.files.set(`${folder}/core_id`, `${cpu}\n`);
    host.files.set(`${folder}/physical_package_id`, '0\n');
    host.files.set(`${folder}/thread_siblings_list`, `${cpu}\n`);
  }
  for (const name of ['present', 'possible', 'online']) host.files.set(`/sys/devices/system/cpu/${name}`, '0-3\n');
  host.files.set('/sys/devices/system/cpu/cpu3/online', '1\n');
  host.files.set('/proc/irq/8/smp_affinity_list', '3\n');
  host.files.set('/proc/irq/8/effective_affinity_list', '3\n');
  host.files.set('/sys/kernel/irq/8/actions', 'rtc0\n');
  host.files.set(PARTITION, 'member\n');
  host.files.set(ROOT_CPUS, '0-3\n');
  host.commands.set('taskset', '');
  const set = host.files.set.bind(host.files);
  host.files.set = (path, text) => {
    const value = text.trim();
    if (path === '/proc/irq/8/smp_affinity_list') set('/proc/irq/8/effective_affinity_list', text);
    if (path.endsWith('cpu3/online')) {
      set('/sys/devices/system/cpu/online', value === '1' ? '0-3\n' : '0-2\n');
      if (value === '0' && host.files.get('/proc/irq/8/smp_affinity_list')?.trim() === '3')
        host.files.set('/proc/irq/8/smp_affinity_list', '0-2\n');
    }
    if (path === PARTITION) {
      const left = value === 'isolated' ? '0-1' : '0-3';
      set(ROOT_CPUS, `${left}\n`);
      for (const pid of [10, 11, 12, 13]) setThread(pid, left);
    }
    return set(path, text);
  };
  const setThread = (pid: number, cpus: string) => {
    const status = `/proc/${pid}/status`;
    set(status, (host.files.get(status) ?? '').replace(/^(Cpus_allowed_list:\t).*$/m, `$1${cpus}`));
  };
  const execute = host.execute.bind(host);
  host.execute = async (argv, options) => {
    const done = await execute(argv, options);
    const [command, , , cpus, pid] = argv;
    if (command !== 'taskset') return done;
    const root = parseCpulist(host.files.get(ROOT_CPUS) ?? '');
    const allowed = parseCpulist(cpus as string).filter((cpu) => root.includes(cpu));
    if (allowed.length === 0) return { found: true, exitCode: 1, stdout: '', stderr: 'Invalid argument' };
    setThread(Number(pid), printCpulist(allowed));
    return done;
  };
  const domain = defineDomain<object, unknown>({
    name: 'cpu',
    schema: async () => z.any(),
    observe: async () => ({}),
    desire: () => ({ settings, refused: [] }),
  });
  return { ...rig, engine: { ...rig.engine, domains: [domain] } };
}

const wanted = wantedOf('test', { cpu: {} });
const nothing = wantedOf('nothing', {});

const base = { why: 'A test.', ifRefused: 'fail', disruption: 'none' } as const;

const irqBystander: Bystander = {
  id: 'irq.affinity@rtc0',
  tunable: { kind: 'irq-affinity', irq: 8, action: 'rtc0' },
  within: '0-2',
};

const OFFLINE: Setting = {
  ...base,
  id: 'cpu.online@cpu3',
  stage: 'shape',
  tunable: { kind: 'file', path: '/sys/devices/system/cpu/cpu3/online', format: 'integer' },
  value: '0',
  bystanders: [irqBystander],
};

const thread = (id: string, pid: number, value: string): Setting => ({
  ...base,
  id,
  stage: 'values',
  tunable: { kind: 'thread-affinity', pid, startTicks: 100 + pid },
  value,
  ifRefused: 'skip',
});

const PARTITIONED: Setting = {
  ...base,
  id: 'cpu.partition@hft.slice',
  stage: 'values',
  tunable: { kind: 'cpuset-partition', unit: 'hft.slice' },
  value: 'isolated',
  bystanders: (
    [
      ['kswapd0', 11],
      ['kswapd1', 12],
      ['mine', 13],
    ] as const
  ).map(([name, pid]) => ({
    id: `cpu.thread@${name}`,
    tunable: { kind: 'thread-affinity', pid, startTicks: 100 + pid },
    within: '0-1',
  })),
};

const CASES: readonly (readonly [string, readonly Setting[]])[] = [
  ['a CPU that goes offline', [OFFLINE]],
  [
    'a CPU that goes offline, and a wish for its interrupt',
    [OFFLINE, { ...base, ...irqBystander, id: 'cpu.affinity@rtc0', stage: 'values', value: '0' }],
  ],
  ['a partition', [PARTITIONED]],
  [
    'a partition, and wishes for threads',
    [PARTITIONED, thread('cpu.thread@kthreadd', 10, '0'), thread('cpu.thread@kswapd1', 12, '1')],
  ],
];

describe.each(CASES)('%s', (_, settings) => {
  const make = () => makeKernel(settings);

  test('made, it is as wanted; taken back, everything is as before', async () => {
    const rig = make();
    const before = stateOf(rig);
    const outcome = await tuneRig(rig, { wanted });
    expect(outcome?.result).toBe('applied');
    expect(outcome?.report.skipped).toEqual([]);
    expect(outcome?.after).toMatchObject({ changes: [], kept: [] });
    expect((await rollback(rig.engine, { scope: 'all' })).complete).toBe(true);
    expect(stateOf(rig)).toEqual(before);
  });

  test('left over by another profile: everything is as before', async () => {
    const rig = make();
    const before = stateOf(rig);
    await tuneRig(rig, { wanted });
    const outcome = await tuneRig(rig, { wanted: nothing });
    expect(outcome?.report.skipped).toEqual([]);
    expect(stateOf(rig)).toEqual(before);
    expect(outcome?.after).toMatchObject({ changes: [], kept: [] });
    await rollback(rig.engine, { scope: 'all' });
    expect(stateOf(rig)).toEqual(before);
  });

  test('killed at any write, and the recovery too: everything is as before', async () => {
    const counted = make();
    await tuneRig(counted, { wanted });
    for (let at = 1; at <= counted.host.writeCount; at++) {
      for (const effect of ['die-before', 'die-after'] as const) {
        for (const killRecoveryAt of [undefined, 1, 2, 3]) {
          const rig = make();
          const before = stateOf(rig);
          rig.host.faults = [{ at, effect }];
          expect(await tuneRig(rig, { wanted })).toBeUndefined();
          expect((await recoverRig(rig, killRecoveryAt)).complete).toBe(true);
          expect(stateOf(rig), `${effect} write ${at}, recovery killed at ${killRecoveryAt}`).toEqual(before);
        }
      }
    }
  });
});

describe('an interrupt whose CPU goes offline', () => {
  test('is shown as moved first', async () => {
    const { plan } = await planRig(makeKernel([OFFLINE]), { wanted });
    const text = viewPlan(plan, { columns: 200, color: false });
    expect(text).toContain('Moved first, to come back with it: irq.affinity@rtc0 (3 → 0-2).');
  });

  test('has the value of its own wish at once, before the CPU goes', async () => {
    const rig = makeKernel([
      OFFLINE,
      { ...base, ...irqBystander, id: 'cpu.affinity@rtc0', stage: 'values', value: '0' },
    ]);
    const { plan } = await planRig(rig, { wanted });
    expect(plan.changes.map(({ setting }) => [setting.id, setting.stage])).toEqual([
      ['cpu.affinity@rtc0', 'shape'],
      ['cpu.online@cpu3', 'shape'],
    ]);
  });
});

describe('a driver that places its interrupt anew when a CPU comes or goes, as virtio_net does', () => {
  function make(): Rig {
    const rig = makeKernel([
      OFFLINE,
      { ...base, ...irqBystander, id: 'cpu.affinity@rtc0', stage: 'values', value: '0' },
    ]);
    const { files } = rig.host;
    const set = files.set.bind(files);
    files.set = (path, text) => {
      const done = set(path, text);
      if (path.endsWith('cpu3/online'))
        files.set('/proc/irq/8/smp_affinity_list', text.trim() === '0' ? '0-2\n' : '3\n');
      return done;
    };
    return rig;
  }

  test('the interrupt is where the profile wants it, and comes back', async () => {
    const rig = make();
    const before = stateOf(rig);
    const outcome = await tuneRig(rig, { wanted });
    expect(outcome?.result).toBe('applied');
    expect(rig.host.files.get('/proc/irq/8/smp_affinity_list')?.trim()).toBe('0');
    const status = await readStatus(rig.host, await readRuns(rig.state), { host: 'fake', bootId: 'boot-1' });
    expect(status.drift).toEqual([]);
    expect((await rollback(rig.engine, { scope: 'all' })).complete).toBe(true);
    expect(stateOf(rig)).toEqual(before);
  });

  test('killed at any write: everything is as before', async () => {
    const counted = make();
    await tuneRig(counted, { wanted });
    for (let at = 1; at <= counted.host.writeCount; at++) {
      for (const effect of ['die-before', 'die-after'] as const) {
        const rig = make();
        const before = stateOf(rig);
        rig.host.faults = [{ at, effect }];
        expect(await tuneRig(rig, { wanted })).toBeUndefined();
        await recoverRig(rig);
        expect(stateOf(rig), `${effect} write ${at}`).toEqual(before);
      }
    }
  });
});

describe('kernel threads beside a partition', () => {
  let rig: Rig;

  beforeEach(async () => {
    rig = makeKernel([PARTITIONED]);
    await tuneRig(rig, { wanted });
  });

  test('keep what is left of their CPUs; those of which nothing is left run where the kernel lets them', () => {
    expect([10, 11, 12, 13].map((pid) => cpusOf(rig, pid))).toEqual(['0-1', '0-1', '0-1', '0']);
  });

  test('that somebody bound meanwhile stay so', async () => {
    rig.host.files.set('/proc/11/status', 'Name:\tkswapd0\nCpus_allowed_list:\t1\n');
    const { reports } = await rollback(rig.engine, { scope: 'all' });
    expect(cpusOf(rig, 11)).toBe('1');
    const kept = reports[0]?.steps.filter(({ outcome }) => outcome === 'kept').map(({ id }) => id);
    expect(kept).toEqual(['cpu.thread@kswapd0']);
    expect(cpusOf(rig, 12)).toBe('2-3');
  });
});
