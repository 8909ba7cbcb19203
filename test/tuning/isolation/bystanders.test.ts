import { expect, test } from 'vitest';
import { layoutWanted } from '../../../src/layout/schema.ts';
import { solveLayout } from '../../../src/layout/solve.ts';
import { isolationDomain } from '../../../src/tuning/isolation/isolation.ts';
import { FakeHost } from '../../fake-host.ts';
import { buildMachine } from '../../machine-builder.ts';

const PF_KTHREAD = 0x00200000;
const PF_NO_SETAFFINITY = 0x04000000;

function thread(pid: number, name: string, given: { allowed: string; flags: number }): [string, string][] {
  const fields = ['S', 2, 0, 0, 0, -1, given.flags, ...Array.from({ length: 12 }, () => 0), 100 + pid];
  return [
    [`/proc/${pid}/stat`, `${pid} (${name}) ${fields.join(' ')}\n`],
    [`/proc/${pid}/status`, `Name:\t${name}\nCpus_allowed_list:\t${given.allowed}\n`],
  ];
}

test('a partition moves kernel threads that are bound, and puts down where they were', async () => {
  const host = new FakeHost(
    Object.fromEntries([
      ...thread(2, 'kthreadd', { allowed: '0-7', flags: PF_KTHREAD }),
      ...thread(40, 'kswapd0', { allowed: '0-3', flags: PF_KTHREAD }),
      ...thread(41, 'kswapd1', { allowed: '4-7', flags: PF_KTHREAD }),
      ...thread(42, 'ksoftirqd/3', { allowed: '3', flags: PF_KTHREAD | PF_NO_SETAFFINITY }),
      ...thread(43, 'bash', { allowed: '3', flags: 0 }),
    ]),
  );
  host.folders.add('/run/systemd/system');
  host.files.set('/sys/fs/cgroup/cgroup.controllers', 'cpuset cpu\n');
  const facts = buildMachine();
  const machine = { ...facts, layout: solveLayout(layoutWanted.parse({ isolated: '2-3' }), facts) };
  const wanted = (await isolationDomain.schema()).parse({ method: 'partition' });
  const { settings } = isolationDomain.desire(wanted, await isolationDomain.observe(host, facts, wanted), machine);
  expect(settings.flatMap(({ id, bystanders = [] }) => bystanders.map((each) => [id, each.id, each.within]))).toEqual([
    ['isolation.partition@hft.slice', 'isolation.thread@kswapd0', '0-1,4-7'],
    ['isolation.partition@hft.slice', 'isolation.thread@kswapd1', '0-1,4-7'],
  ]);
});
