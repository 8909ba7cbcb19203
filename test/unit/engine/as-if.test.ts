import { describe, expect, test } from 'vitest';
import { asIfUntouched } from '../../../src/engine/as-if.ts';
import { findHeld } from '../../../src/engine/held.ts';
import type { Run, Step } from '../../../src/engine/journal.ts';
import { observeThreads } from '../../../src/topology/kernel-threads.ts';
import { readServices } from '../../../src/topology/services.ts';
import { readUnitFiles } from '../../../src/topology/unit-files.ts';
import { parseRootQdisc } from '../../../src/tunables/link.ts';
import type { Tunable } from '../../../src/tunables/tunable.ts';
import { FakeHost } from '../../fake-host.ts';
import { WANTED } from '../../faults/rig.ts';

interface Changed {
  readonly tunable: Tunable;
  readonly from: string;
  readonly to: string;
}

function runOf(changes: readonly Changed[]): Run {
  const begin = { type: 'begin', run: 'r', time: '', host: 'h', bootId: '1', origin: 'user', wanted: WANTED } as const;
  const steps = changes.map(
    (change, step): Step => ({
      ...change,
      step,
      id: `x.${step}`,
      persistent: true,
      status: 'done',
      reported: change.to,
    }),
  );
  return {
    run: 'r',
    begin: { ...begin, version: '0' },
    steps,
    released: [],
    confirmBy: undefined,
    session: undefined,
    owner: undefined,
    watched: false,
    confirmed: false,
    result: 'applied',
  };
}

const untouched = (host: FakeHost, ...changes: readonly Changed[]) =>
  asIfUntouched(host, findHeld([runOf(changes)], '1'));

describe('what a wish depends on reads as it was before hft', () => {
  test('an interrupt that hft moved, and not one that somebody moved since', async () => {
    const host = new FakeHost();
    for (const [irq, cpus] of [
      [1, '0'],
      [2, '5'],
    ]) {
      host.files.set(`/proc/irq/${irq}/smp_affinity_list`, `${cpus}\n`);
      host.files.set(`/proc/irq/${irq}/effective_affinity_list`, `${cpus}\n`);
    }
    const change = (irq: number) => ({ tunable: { kind: 'irq-affinity', irq } as const, from: '0-7', to: '0' });
    const reader = await untouched(host, change(1), change(2));
    expect(await reader.readText('/proc/irq/1/smp_affinity_list')).toBe('0-7\n');
    expect(await reader.readText('/proc/irq/1/effective_affinity_list')).toBe('0-7\n');
    expect(await reader.readText('/proc/irq/2/smp_affinity_list')).toBe('5\n');
  });

  test('a kernel thread', async () => {
    const fields = ['S', 2, 0, 0, 0, -1, 0x00200000, ...Array.from({ length: 12 }, () => 0), 105];
    const host = new FakeHost({
      '/proc/5/stat': `5 (kworker) ${fields.join(' ')}\n`,
      '/proc/5/status': 'Name:\tkworker\nCpus_allowed:\t01\nCpus_allowed_list:\t0\nMems_allowed_list:\t0\n',
    });
    const tunable = { kind: 'thread-affinity', pid: 5, startTicks: 105 } as const;
    const reader = await untouched(host, { tunable, from: '0-3', to: '0' });
    expect(await observeThreads(reader)).toMatchObject([{ pid: 5, allowed: [0, 1, 2, 3] }]);
  });

  test('a queueing discipline: the kernel’s own again, not one that was configured by hand', async () => {
    const words = 'tc -j qdisc show dev eth0 root';
    const host = new FakeHost({}, { [words]: '[{"kind":"fq","handle":"8001:","root":true}]\n' });
    const tunable = { kind: 'link', device: 'eth0', attribute: 'qdisc' } as const;
    const reader = await untouched(host, { tunable, from: 'mq', to: 'fq' });
    const shown = await reader.query(words.split(' '));
    expect(parseRootQdisc(shown.found ? shown.stdout : '')).toEqual({ kind: 'mq', isDefault: true });
  });

  test('a service that hft stopped and masked', async () => {
    const host = new FakeHost(
      {},
      {
        'systemctl show -p LoadState,ActiveState irqbalance.service': 'LoadState=masked\nActiveState=inactive\n',
        'systemctl is-enabled irqbalance.service': 'masked\n',
        systemctl: 'irqbalance.service masked enabled\ntuned.service disabled enabled\n',
        'systemctl list-units --type=service --state=active,activating,reloading --no-legend --no-pager --plain':
          'ssh.service loaded active running SSH\n',
      },
    );
    const unit = { kind: 'unit', name: 'irqbalance.service' } as const;
    const reader = await untouched(
      host,
      { tunable: { ...unit, aspect: 'activity' }, from: 'active', to: 'inactive' },
      { tunable: { ...unit, aspect: 'enablement' }, from: 'enabled', to: 'masked' },
    );
    expect(await readServices(reader)).toEqual([
      { name: 'irqbalance', active: true, enabled: true },
      { name: 'tuned', active: false, enabled: false },
    ]);
    expect((await readUnitFiles(reader, ['irqbalance.service']))?.get('irqbalance.service')).toBe('enabled');
    expect((await readServices(host))[0]).toEqual({ name: 'irqbalance', active: false, enabled: false });
  });
});
