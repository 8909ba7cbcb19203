import { expect, test } from 'vitest';
import { fillEal } from '../../../src/cli/dpdk-eal.ts';
import type { Placed } from '../../../src/cli/place.ts';
import type { PlacedProcess } from '../../../src/launch/placement.ts';
import { deploymentWanted } from '../../../src/launch/schema.ts';
import { layoutWanted } from '../../../src/layout/schema.ts';
import { solveLayout } from '../../../src/layout/solve.ts';
import { FakeHost } from '../../fake-host.ts';
import { buildMachine } from '../../machine-builder.ts';

function place(name: string, own: readonly number[]): PlacedProcess {
  const memory = { policy: 'default', nodes: [0], lock: false, hugepages: { '2M': 8 }, why: '' } as const;
  return { name, why: undefined, own, idle: [], rest: [0], threads: [], memory };
}

test('the arguments of each process stand where its command asks for them, and nowhere else', async () => {
  const { processes } = deploymentWanted.parse({
    processes: {
      md: { command: ['/opt/md', '-v', '{eal}', '--', '--feed'] },
      risk: { command: ['/opt/risk', '{eal}'] },
      log: { command: ['/opt/log', 'eal'] },
    },
  });
  const facts = buildMachine();
  const placed = {
    deployment: { name: 'desk', processes },
    placement: { processes: [place('md', [1, 2]), place('risk', [3]), place('log', [])] },
    machine: { ...facts, layout: solveLayout(layoutWanted.parse({ isolated: '1-3' }), facts) },
    profile: undefined,
  } as unknown as Placed;
  const filled = await fillEal(new FakeHost(), '/nowhere', placed);
  const eal = (lcores: string, name: string) =>
    `-l ${lcores} --main-lcore=0 --socket-mem=16 --no-pci --file-prefix=${name}`.split(' ');
  expect(filled.processes.md?.command).toEqual(['/opt/md', '-v', ...eal('0,1,2', 'md'), '--', '--feed']);
  expect(filled.processes.risk?.command).toEqual(['/opt/risk', ...eal('0,3', 'risk')]);
  expect(filled.processes.log?.command).toEqual(['/opt/log', 'eal']);
});
