import { describe, expect, test } from 'vitest';
import { occupyByNoise } from '../../../../src/latency/attribution/noise.ts';
import { occupy } from '../../../../src/latency/attribution/occupancy.ts';
import { gapsOf, joinText, readFixture } from './fixture.ts';

describe('ftrace', () => {
  const rt = { text: readFixture('6.1-rt'), cpu: 3 };

  test('PREEMPT_RT: a softirq in a thread, preempted by the thread of an interrupt', () => {
    const { lines, rest } = joinText(occupy, rt, gapsOf([[0, 2500]]));
    expect(lines).toEqual([
      'timer tick 1x 800 max 800',
      'irq/24-ens1-rx - 1x 600 max 600',
      'softirq TIMER 1x 500 max 500',
      'ktimers/3 1x 300 max 300',
    ]);
    expect(rest).toMatchObject({ gapsNs: 2500, explainedNs: 2200, besideCausesNs: 300 });
  });

  test('lost events make a gap unrecorded until the next one, not outside the kernel', () => {
    const { lines } = joinText(occupy, rt, gapsOf([[9000, 10_000]]));
    expect(lines).toEqual(['not recorded 1x 500 max 500']);
  });

  test('a TLB shootdown is told from other interrupts between CPUs', () => {
    expect(joinText(occupy, rt, gapsOf([[20_000, 20_500]])).lines).toEqual(['TLB shootdown 1x 300 max 300']);
  });

  test('an NMI is laid before its event, which comes at its end', () => {
    expect(joinText(occupy, rt, gapsOf([[30_400, 30_800]])).lines).toEqual([
      'NMI perf_event_nmi_handler 1x 200 max 200',
    ]);
  });

  test('a page fault lasts until the thread is back; what interrupts it is counted there', () => {
    expect(joinText(occupy, rt, gapsOf([[40_000, 41_000]])).lines).toEqual([
      'page fault 1x 800 max 800',
      'timer tick 1x 100 max 100',
    ]);
  });

  test('no event in a gap: outside the kernel, and not explained', () => {
    const { lines, rest, causes } = joinText(
      occupy,
      rt,
      gapsOf([
        [5000, 5400],
        [6000, 6100],
      ]),
    );
    expect(lines).toEqual(['outside the kernel, unproven 2x 500 max 400']);
    expect(rest).toMatchObject({ explainedNs: 0, outsideKernelNs: 500 });
    expect(causes[0]?.explained).toBe(false);
  });

  test('gaps from before the oldest event that was kept are unrecorded', () => {
    const { rest } = joinText(
      occupy,
      { ...rt, overrun: true },
      gapsOf([
        [-900, -500],
        [0, 2500],
      ]),
    );
    expect(rest).toMatchObject({ notRecordedNs: 500, outsideKernelNs: 0, explainedNs: 2200 });
  });

  test('a recording of 6.18: interrupts, softirqs, threads, and the switch itself', () => {
    const text = readFixture('6.18');
    const epochTicks = 16_824_345_000_000n;
    const gaps = gapsOf([
      [100_000, 830_000],
      [21_085_000, 21_120_000],
    ]);
    const { lines, rest } = joinText(occupy, { text, cpu: 1, epochTicks }, gaps);
    expect(lines).toEqual([
      'node-MainThread 1x 679810 max 679810',
      'timer tick 1x 23418 max 23418',
      'rcu_preempt 1x 18136 max 18136',
      'IPI reschedule 1x 918 max 918',
    ]);
    expect(rest.notRecordedNs).toBe(0);
  });

  const line = (at: number, task: string, event: string) => ` ${task} [000] d..2. ${1_000_000_000 + at}: ${event}\n`;
  /** `name=pid`, or `name=pid@priority` as the kernel counts it. */
  const to = (from: string, next: string, state = 'S') => {
    const [[fromName, fromPid, fromPrio = 120], [name, pid, prio = 120]] = [from, next].map((task) =>
      task.split(/[=@]/),
    ) as [string[], string[]];
    return `sched_switch: prev_comm=${fromName} prev_pid=${fromPid} prev_prio=${fromPrio} prev_state=${state} ==> next_comm=${name} next_pid=${pid} next_prio=${prio}`;
  };

  test('a thread counts each time that it runs, not when it goes on', () => {
    const text = [
      line(100, 'spin-5', to('spin=5', 'thief=9', 'R')),
      line(200, 'thief-9', to('thief=9', 'other=8', 'R+')),
      line(250, 'other-8', to('other=8', 'thief=9')),
      line(300, 'thief-9', to('thief=9', 'other=8')),
      line(310, 'other-8', to('other=8', 'thief=9')),
      line(350, 'thief-9', to('thief=9', 'spin=5')),
    ].join('');
    expect(joinText(occupy, { text, cpu: 0 }, gapsOf([[0, 400]])).lines).toEqual([
      'thief 2x 190 max 150',
      'other 2x 60 max 50',
    ]);
  });

  test('a thread that runs without a switch to it: how long is not known', () => {
    const text = [
      line(100, 'spin-5', to('spin=5', 'thief=9', 'R')),
      line(110, 'spin-5', 'tlb_flush: pages:0 reason:flush on task switch (0)'),
      line(140, 'thief-9', 'irq_work_entry: vector=1'),
      line(150, 'thief-9', 'irq_work_exit: vector=1'),
      line(200, 'spin-5', 'local_timer_entry: vector=236'),
      line(230, 'spin-5', 'local_timer_exit: vector=236'),
    ].join('');
    expect(joinText(occupy, { text, cpu: 0 }, gapsOf([[0, 400]])).lines).toEqual([
      'not recorded 1x 50 max 50',
      'thief 1x 40 max 40',
      'timer tick 1x 30 max 30',
      'IPI irq_work 1x 10 max 10',
    ]);
  });

  test('a turn of which only the end is recorded counts, without its time', () => {
    const text = [
      line(100, 'spin-5', to('spin=5', 'other=8', 'R')),
      line(350, 'thief-9', to('thief=9', 'spin=5')),
    ].join('');
    expect(joinText(occupy, { text, cpu: 0 }, gapsOf([[0, 400]])).lines).toEqual([
      'not recorded 1x 250 max 250',
      'thief 1x 0 max 0',
    ]);
  });

  test('page faults of another thread are in its time, and counted', () => {
    const fault = 'page_fault_user: address=0x7f217bde8e03 ip=0x7f217bde8e03 error_code=0x6';
    const text = [
      line(100, 'spin-5', to('spin=5', 'faulter=9', 'R')),
      line(110, 'faulter-9', fault),
      line(130, 'faulter-9', fault),
      line(200, 'faulter-9', to('faulter=9', 'spin=5')),
    ].join('');
    const { causes } = joinText(occupy, { text, cpu: 0 }, gapsOf([[0, 300]]));
    expect(causes).toMatchObject([{ cause: 'faulter', kind: 'thread', count: 1, totalNs: 100, pageFaults: 2 }]);
  });

  test.each([
    ['tlb_flush: pages:1 reason:remote shootdown (1)', 'TLB shootdown'],
    ['csd_function_entry: func=flush_tlb_func csd=0000000012345678', 'TLB shootdown'],
    ['tlb_shootdown: (flush_tlb_func+0x0/0x1a0)', 'TLB shootdown'],
    ['csd_function_entry: func=sched_ttwu_pending csd=0000000012345678', 'IPI sched_ttwu_pending'],
  ])('an interrupt between CPUs in which is said: %s', (event, cause) => {
    const text = [
      line(90, 'spin-5', event),
      line(100, 'spin-5', 'call_function_entry: vector=252'),
      line(110, 'spin-5', event),
      line(130, 'spin-5', 'call_function_exit: vector=252'),
    ].join('');
    expect(joinText(occupy, { text, cpu: 0 }, gapsOf([[0, 300]])).lines).toEqual([`${cause} 1x 30 max 30`]);
  });

  test('a page fault that sleeps has the time in which the CPU is idle, and whoever else runs has his own', () => {
    const text = [
      line(100, 'spin-5', 'page_fault_user: address=0x7f217bde8e03 ip=0x7f217bde8e03 error_code=0x6'),
      line(120, 'spin-5', to('spin=5', 'swapper/0=0', 'D')),
      line(150, '<idle>-0', 'call_function_single_entry: vector=251'),
      line(160, '<idle>-0', 'call_function_single_exit: vector=251'),
      line(170, '<idle>-0', to('swapper/0=0', 'other=9', 'R')),
      line(200, 'other-9', to('other=9', 'swapper/0=0')),
      line(260, '<idle>-0', to('swapper/0=0', 'spin=5', 'R')),
      line(300, 'spin-5', to('spin=5', 'swapper/0=0', 'R')),
      line(330, '<idle>-0', to('swapper/0=0', 'spin=5', 'R')),
    ].join('');
    const { lines } = joinText(
      occupy,
      { text, cpu: 0 },
      gapsOf([
        [0, 280],
        [290, 340],
      ]),
    );
    expect(lines).toEqual([
      'page fault 1x 140 max 140',
      'other 1x 30 max 30',
      'idle: the thread was not let run 1x 30 max 30',
      'IPI call_function_single 1x 10 max 10',
    ]);
  });

  describe('a realtime thread that never sleeps', () => {
    test('what others get is throttling, with who they were; interrupts in it are not', () => {
      const text = [
        line(100, 'spin-5', to('spin=5@98', 'hog=9', 'R+')),
        line(150, 'hog-9', 'local_timer_entry: vector=236'),
        line(170, 'hog-9', 'local_timer_exit: vector=236'),
        line(200, 'hog-9', to('hog=9', 'kworker/0:1=8', 'R+')),
        line(250, 'kworker/0:1-8', to('kworker/0:1=8', 'swapper/0=0')),
        line(300, '<idle>-0', to('swapper/0=0', 'spin=5@98', 'R')),
        line(350, 'spin-5', 'irq_work_entry: vector=1'),
        line(360, 'spin-5', 'irq_work_exit: vector=1'),
      ].join('');
      const { causes } = joinText(occupy, { text, cpu: 0 }, gapsOf([[0, 400]]));
      expect(causes).toMatchObject([
        { cause: 'realtime throttling', kind: 'throttling', count: 1, totalNs: 180, letRun: ['hog', 'kworker/0'] },
        { cause: 'timer tick', totalNs: 20 },
        { cause: 'IPI irq_work', totalNs: 10 },
      ]);
    });

    test('a thread above it has the CPU by right', () => {
      const text = [
        line(100, 'spin-5', to('spin=5@98', 'migration/0=7@0', 'R+')),
        line(200, 'migration/0-7', to('migration/0=7@0', 'spin=5@98')),
      ].join('');
      expect(joinText(occupy, { text, cpu: 0 }, gapsOf([[0, 400]])).lines).toEqual(['migration/0 1x 100 max 100']);
    });
  });

  test('work of a kworker has the name of its function, also after the worker slept', () => {
    const text = [
      line(100, 'spin-5', to('spin=5', 'kworker/0:1=9')),
      line(150, 'kworker/0:1-9', 'workqueue_execute_start: work struct 00000000a1: function vmstat_update'),
      line(250, 'kworker/0:1-9', to('kworker/0:1=9', 'spin=5')),
      line(400, 'spin-5', to('spin=5', 'kworker/0:1=9')),
      line(460, 'kworker/0:1-9', 'workqueue_execute_end: work struct 00000000a1: function vmstat_update'),
      line(490, 'kworker/0:1-9', to('kworker/0:1=9', 'spin=5')),
    ].join('');
    const { lines, causes } = joinText(
      occupy,
      { text, cpu: 0 },
      gapsOf([
        [0, 300],
        [350, 500],
      ]),
    );
    expect(lines).toEqual(['kworker/0 vmstat_update 2x 160 max 100', 'kworker/0 2x 80 max 50']);
    expect(causes[0]?.fix).toBe('memory.sysctl@vm.stat_interval');
  });
});

describe('osnoise', () => {
  const noise = { text: readFixture('6.12-osnoise'), cpu: 3 };

  test('net durations as the kernel says them, without the measuring thread', () => {
    const { lines, rest } = joinText(
      occupyByNoise,
      noise,
      gapsOf([
        [0, 2500],
        [10_000, 10_400],
        [20_000, 21_000],
      ]),
    );
    expect(lines).toEqual([
      'timer tick 2x 1600 max 800',
      'kworker/3 1x 800 max 800',
      'softirq SCHED 1x 300 max 300',
      'interrupt ens1-TxRx-2 1x 200 max 200',
      'NMI 1x 150 max 150',
    ]);
    expect(rest).toMatchObject({ gapsNs: 3900, explainedNs: 3050, outsideKernelNs: 0, notRecordedNs: 0 });
  });

  test('what is left of a gap with lost events is not recorded', () => {
    const text = noise.text.replace('  kworker/3:1-73', 'CPU:3 [LOST 2 EVENTS]\n  kworker/3:1-73');
    const { rest } = joinText(occupyByNoise, { ...noise, text }, gapsOf([[0, 2500]]));
    expect(rest).toMatchObject({ explainedNs: 2100, notRecordedNs: 400, besideCausesNs: 0 });
  });

  test('no more is explained than was stolen', () => {
    const { rest } = joinText(occupyByNoise, noise, gapsOf([[20_700, 21_000]]));
    expect(rest).toMatchObject({ gapsNs: 300, explainedNs: 200 });
  });
});
