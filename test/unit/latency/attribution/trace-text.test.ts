import { describe, expect, test } from 'vitest';
import { parseBufferStats, parseTrace } from '../../../../src/latency/attribution/trace-text.ts';

describe('lines of a trace', () => {
  test.each([
    ['without flags', '  hft-probe-7 [001] 1005: local_timer_entry: vector=236'],
    ['four flags (before 5.18)', '  hft-probe-7     [001] d.h2 1005: local_timer_entry: vector=236'],
    ['five flags', '  hft-probe-7     [001] d.h2. 1005: local_timer_entry: vector=236'],
    ['seven flags (PREEMPT_RT)', '  hft-probe-7     [001] dNLh2.1 1005: local_timer_entry: vector=236'],
    ['a thread group', '  hft-probe-7     (   7) [001] d.h2. 1005: local_timer_entry: vector=236'],
    ['no thread group', '  hft-probe-7     (-----) [001] d.h2. 1005: local_timer_entry: vector=236'],
    ['hexadecimal', '  hft-probe-7     [001] d.h2. 0x3ed: local_timer_entry: vector=236'],
  ])('%s', (_, line) => {
    const { events, unread } = parseTrace(`${line}\n`, 1, 1000n);
    const event = { at: 5, cpu: 1, comm: 'hft-probe', pid: 7, name: 'local_timer_entry', fields: 'vector=236' };
    expect({ events, unread }).toEqual({ events: [event], unread: 0 });
  });

  test.each(['a b-9', 'x [000]-3', '<idle>', 'kworker/u8:2-ev', '-'])('a task called %j', (comm) => {
    const { events } = parseTrace(` ${comm}-12    [004] d..2. 77: irq_work_exit: vector=1\n`, 4, 70n);
    expect(events).toMatchObject([{ comm, pid: 12, at: 7, name: 'irq_work_exit' }]);
  });

  test('ticks beyond what a double holds', () => {
    const { events } = parseTrace(' a-1 [000] d.h.. 18446744073709551000: x: \n', 0, 18446744073709550999n);
    expect(events[0]?.at).toBe(1);
  });

  test('what is torn, foreign or of another clock is counted, comments are not', () => {
    const good = ' a-1 [000] d.h.. 5: x: y\n';
    const text = `# tracer: nop\n\n##### CPU 0 buffer started ####\n${good} => do_one_thing\n a-1 [000] d.h.. 12.345678: x: y\n${good} a-1 [000] d.h.. 9: irq_handler_entry: irq=3`;
    expect(parseTrace(text, 0, 0n)).toMatchObject({ events: [{ at: 5 }, { at: 5 }], unread: 3 });
  });

  describe('with seconds, and the same lines raw', () => {
    const lines = [
      ' a-1 [000] d.h.. 12.345678: x: one',
      ' b-2 [000] d.h.. 12.345678: x: two',
      ' a-1 [000] d.h.. 12.345679: x: three',
    ];
    const raw = ['1 0 12345677500 type: 9', '2 0 12345678499 type: 9', '1 0 12345678500 type: 9'];
    const read = (text: readonly string[], rawText: readonly string[]) => {
      const { events, unread } = parseTrace(`${text.join('\n')}\n`, 0, 12_345_000_000n, `${rawText.join('\n')}\n`);
      return { events: events.map(({ at, fields }) => [at, fields]), unread };
    };
    const whole = [
      [677_500, 'one'],
      [678_499, 'two'],
      [678_500, 'three'],
    ];

    test('each has its nanoseconds', () => {
      const header = ['# tracer: nop', '#'];
      const lost = 'CPU:0 [LOST 3 EVENTS]';
      expect(read([...header, ...lines], [...header, lost, ...raw])).toEqual({ events: whole, unread: 0 });
    });

    test('a raw line that nothing in the text is of is passed over', () => {
      expect(read(lines, ['7 0 12345600000 type: 4', ...raw])).toEqual({ events: whole, unread: 0 });
    });

    test('a line without its raw one is counted, and the others keep theirs', () => {
      const left = read(lines, [raw[0], raw[2]] as string[]);
      expect(left).toEqual({ events: [whole[0], whole[2]], unread: 1 });
      expect(read(lines, [])).toEqual({ events: [], unread: 3 });
    });

    test('ticks are of another clock', () => {
      expect(read([' a-1 [000] d.h.. 12345677500: x: one'], raw).unread).toBe(1);
    });
  });

  test('lost events, with and without their number', () => {
    const line = (cpu: number) => ` a-1 [00${cpu}] d.h.. 5: x: y\n`;
    const text = `${line(1)}CPU:1 [LOST 23 EVENTS]\n${line(1)}CPU:0 [LOST 5 EVENTS]\n${line(0)}CPU:1 [EVENTS DROPPED]\n${line(1)}`;
    const { lost, lostBefore, events } = parseTrace(text, 1, 0n);
    expect({ lost, before: [...lostBefore], events: events.length }).toEqual({ lost: 23, before: [1, 2], events: 3 });
  });

  test('the statistics of a buffer', () => {
    const text = 'entries: 10\noverrun: 4\ncommit overrun: 2\nbytes: 9\nnow ts: 5\ndropped events: 3\nread events: 0\n';
    expect(parseBufferStats(text)).toEqual({ overrun: 4, dropped: 5 });
  });
});
