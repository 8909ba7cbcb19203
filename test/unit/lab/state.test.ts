import { describe, expect, test } from 'vitest';
import { parseState } from '../../lab/state/parse.ts';
import { diffStates, printDifference } from '../../lab/state.ts';

const output = [
  '@@files',
  '/proc/sys/vm/swappiness\u000060',
  '/proc/sys/kernel/random/uuid\u0000one',
  'irq/ens1-TxRx-0/smp_affinity_list\u00002-3',
  'mount/\u0000/dev/vda1 ext4 rw',
  '@@units',
  'Id=irqbalance.service',
  'ActiveState=inactive',
  '',
  'Id=ssh.service',
  'ActiveState=active',
  '@@threads',
  '/proc/9/task/9/status:Name:\tksoftirqd/0',
  '/proc/9/task/9/status:PPid:\t2',
  '/proc/9/task/9/status:Cpus_allowed_list:\t0',
  '/proc/9/task/9/stat:9 (ksoftirqd/0) S 2 0 0 0 -1 69238848 0 0 0 0 0 5 0 0 20 0 1 0 21 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0',
  '/proc/8/task/8/status:Name:\tmm_percpu_wq',
  '/proc/8/task/8/status:PPid:\t2',
  '/proc/8/task/8/stat:8 (mm_percpu_wq) I 2 0 0 0 -1 69238880 0 0 0 0 0 0 0 0 0 -20 1 0 21 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0',
  '@@text ethtool/ens1/-g',
  'RX:\t\t256',
  'TX:\t\t256',
  '',
].join('\n');

describe('the state of a guest', () => {
  test('files, units, threads and text become places', () => {
    expect(parseState(output)).toEqual({
      '/proc/sys/kernel/random/uuid': 'one',
      '/proc/sys/vm/swappiness': '60',
      'ethtool/ens1/-g': 'RX:\t\t256\nTX:\t\t256',
      'irq/ens1-TxRx-0/smp_affinity_list': '2-3',
      'mount/': '/dev/vda1 ext4 rw',
      'thread/ksoftirqd/0': 'cpus 0 policy 0 priority 0 nice 0',
      'unit/irqbalance.service': 'ActiveState=inactive',
      'unit/ssh.service': 'ActiveState=active',
    });
  });

  test('a value of several lines keeps them', () => {
    expect(parseState('@@files\n/a\u0000one\ntwo\n/b\u0000three\n')).toEqual({ '/a': 'one\ntwo', '/b': 'three' });
  });

  test('a section that nobody knows is an error', () => {
    expect(() => parseState('@@new\nx\n')).toThrow('@@new');
  });

  test('what changes by itself does not count, a changed setting does', () => {
    const before = parseState(output);
    const after = parseState(
      output.replace('\u000060', '\u00000').replace('\u0000one', '\u0000two').replace('TX:\t\t256', 'TX:\t\t512'),
    );
    expect(diffStates(before, after).map(printDifference)).toEqual([
      '/proc/sys/vm/swappiness: 60 -> 0',
      'ethtool/ens1/-g: TX:\t\t256 -> TX:\t\t512',
    ]);
  });

  test('interrupt affinities count unless irqbalance runs', () => {
    const before = parseState(output);
    const moved = { ...before, 'irq/ens1-TxRx-0/smp_affinity_list': '4' };
    expect(diffStates(before, moved).map(({ key }) => key)).toEqual(['irq/ens1-TxRx-0/smp_affinity_list']);
    const balanced = (state: typeof before) => ({ ...state, 'unit/irqbalance.service': 'ActiveState=active' });
    expect(diffStates(balanced(before), balanced(moved))).toEqual([]);
  });

  test('a place that is new or gone is a difference', () => {
    expect(diffStates({ a: '1' }, { b: '2' }).map(printDifference)).toEqual(['a: gone: 1', 'b: new: 2']);
  });
});
