import { expect, test } from 'vitest';
import { chooseTrafficCpus } from '../../../src/dpdk/traffic-cpus.ts';
import { buildMachine } from '../../machine-builder.ts';

/** Node 0 has CPUs 0 to 3, node 1 has 4 to 7. */
test.each<[string, number[], number | undefined, number[], { mainLcore: number; worker: number }]>([
  ['an isolated CPU near the port', [3, 6, 7], 1, [], { mainLcore: 0, worker: 6 }],
  ['any isolated one without a port', [3, 6, 7], undefined, [], { mainLcore: 0, worker: 3 }],
  ['another one where somebody is pinned', [3, 6, 7], 1, [6], { mainLcore: 0, worker: 7 }],
  ['a housekeeping CPU near the port when all are taken', [3, 6, 7], 1, [3, 6, 7], { mainLcore: 0, worker: 5 }],
  ['a housekeeping CPU elsewhere when there is none near', [4, 5, 6, 7], 1, [4, 5, 6, 7], { mainLcore: 0, worker: 3 }],
  ['a CPU of its own where none is isolated', [], undefined, [], { mainLcore: 0, worker: 7 }],
])('testpmd polls on %s', (_, isolated, node, taken, wanted) => {
  expect(chooseTrafficCpus(buildMachine({ kernel: { isolated } }), { node, taken })).toEqual(wanted);
});
