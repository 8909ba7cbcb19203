import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { listNics, selectNics } from '../../../src/topology/nic-selection.ts';
import { spellIndirection, tableOfWeights } from '../../../src/tunables/ethtool/indirection.ts';
import { parseMaxMtu } from '../../../src/tuning/nic/facts.ts';
import { nicDomain } from '../../../src/tuning/nic/nic.ts';
import { FakeHost } from '../../fake-host.ts';
import { buildMachine } from '../../machine-builder.ts';
import * as captures from '../../unit/tunables/ethtool-captures.ts';

const LAYOUT = { housekeeping: [0, 4], irq: [5, 6], isolated: [1, 2, 3, 7], nic: 'enp1s0', reasons: [], refused: [] };

async function desire(wanted: object, commands: Record<string, string>) {
  const machine = buildMachine({ nics: [{ name: 'enp1s0', node: 1, carriesSession: true }] });
  const facts = await nicDomain.observe(new FakeHost({}, commands), machine);
  return nicDomain.desire((await nicDomain.schema()).parse(wanted), facts, { ...machine, layout: LAYOUT });
}

test('every setting that can disturb the link says so, comes in the shape stage, and names the interface', async () => {
  const wanted = {
    channels: 4,
    rings: 1024,
    mtu: 1500,
    pause: 'off',
    eee: 'off',
    privateFlags: { igb: { 'legacy-rx': 'off' } },
  };
  const { settings } = await desire(wanted, { 'ethtool -l enp1s0': captures.IGB_CHANNELS });
  expect(settings.map((each) => each.id)).toEqual([
    'nic.pause-autoneg@enp1s0',
    'nic.pause-rx@enp1s0',
    'nic.pause-tx@enp1s0',
    'nic.channels-combined@enp1s0',
    'nic.ring-rx@enp1s0',
    'nic.ring-tx@enp1s0',
    'nic.mtu@enp1s0',
    'nic.flag-legacy-rx@enp1s0',
    'nic.eee@enp1s0',
  ]);
  for (const setting of settings)
    expect(setting).toMatchObject({ stage: 'shape', disruption: 'link', interface: 'enp1s0' });
});

test('features that reset some NICs come before what is planned of their interrupts, others after', async () => {
  const { settings } = await desire({ offloads: { lro: false, gro: false, ntuple: true } }, {});
  const stages = settings.map(({ id, stage, disruption }) => [id, stage, disruption]);
  expect(stages).toEqual([
    ['nic.lro@enp1s0', 'shape', 'link'],
    ['nic.gro@enp1s0', 'values', 'none'],
    ['nic.ntuple@enp1s0', 'shape', 'link'],
  ]);
});

test.each([
  ['irq', '2'],
  ['max', '8'],
  [3, '3'],
  [64, '8'],
])('channels: %s is %s queues', async (channels, value) => {
  const { settings } = await desire({ channels }, { 'ethtool -l enp1s0': captures.IGB_CHANNELS });
  expect(settings).toMatchObject([{ id: 'nic.channels-combined@enp1s0', value }]);
});

test('what ethtool could not be asked is unknown; what the driver does not have is unsupported', async () => {
  const wanted = { channels: 2, rings: 'max', rss: 'all' };
  const kinds = async (commands: Record<string, string>) =>
    (await desire(wanted, commands)).refused.map(({ id, kind }) => [id, kind]);
  const ids = ['nic.channels@enp1s0', 'nic.ring-rx@enp1s0', 'nic.ring-tx@enp1s0', 'nic.rss@enp1s0'];
  expect(await kinds({})).toEqual(ids.map((id) => [id, 'unknown']));
  expect(await kinds({ ethtool: 'Operation not supported\n' })).toEqual(ids.map((id) => [id, 'unsupported']));
});

test('a number that the NIC does not have is cut, and the reason says to what', async () => {
  const { settings } = await desire({ rings: { rx: 9000 } }, { 'ethtool -g enp1s0': captures.IGB_RINGS });
  expect(settings).toMatchObject([{ value: '4096' }]);
  expect(settings[0]?.why).toContain('at most 4096 entries');
});

test.each([
  ['all', 'weight 16 16 16 16 16 16 16 16'],
  [4, 'equal 4'],
  [99, 'equal 8'],
  [[1, 0, 3], 'weight 32 0 96'],
])('rss: %j is %s', async (rss, value) => {
  const { settings } = await desire({ rss }, { 'ethtool -x enp1s0': captures.IGB_RSS });
  expect(settings).toMatchObject([{ id: 'nic.rss@enp1s0', value }]);
});

test('weights for more queues than there are, or none at all, are refused', async () => {
  for (const rss of [
    [1, 1, 1, 1, 1, 1, 1, 1, 1],
    [0, 0],
  ]) {
    const { refused } = await desire({ rss }, { 'ethtool -x enp1s0': captures.IGB_RSS });
    expect(refused).toMatchObject([{ id: 'nic.rss@enp1s0', kind: 'refused' }]);
  }
});

test('rps keeps isolated CPUs out of a mask that has others', async () => {
  const machine = buildMachine({ nics: [{ name: 'enp1s0', queues: { rx: 1, tx: 1 } }] });
  const wanted = (await nicDomain.schema()).parse({ rps: '0-3' });
  const { settings } = nicDomain.desire(wanted, { isWhole: true, nics: {} }, { ...machine, layout: LAYOUT });
  expect(settings).toMatchObject([{ id: 'nic.rps@enp1s0/rx-0', value: '0', tunable: { format: 'cpumask' } }]);
});

describe('schema', () => {
  test.each([
    [{ rings: 'huge' }],
    [{ channels: 0 }],
    [{ coalesce: { 'rx-usec': 0 } }],
    [{ offloads: { gro: 'maybe' } }],
    [{ mtu: 20 }],
    [{ qdisc: 'fq; reboot' }],
    [{ trading: [] }],
    [{ ring: 4096 }],
  ])('%j is refused', async (wanted) => {
    expect((await nicDomain.schema()).safeParse(wanted).success).toBe(false);
  });

  test('its own output parses to the same', async () => {
    const once = (await nicDomain.schema()).parse({
      rings: 'max',
      offloads: { gro: 'off' },
      busyPoll: { groFlushTimeoutNs: '200us' },
      rps: 'none',
    });
    expect((await nicDomain.schema()).parse(once)).toEqual(once);
  });
});

test('weights make the table that ethtool makes, and every table of blocks is spelled back to itself', () => {
  expect(tableOfWeights([1, 1], 8)).toEqual([0, 0, 0, 0, 1, 1, 1, 1]);
  expect(tableOfWeights([3, 0, 1], 8)).toEqual([0, 0, 0, 0, 0, 0, 2, 2]);
  const weights = fc
    .array(fc.nat(8), { minLength: 1, maxLength: 8 })
    .filter((list) => list.some((weight) => weight > 0));
  fc.assert(
    fc.property(weights, (list) => {
      const table = tableOfWeights(list, 128);
      const spelled = /^(?:start (?<start>\d+) )?weight (?<weights>[\d ]+)$/.exec(spellIndirection(table))?.groups;
      if (!spelled) return;
      const counts = (spelled.weights as string).split(' ').map(Number);
      const start = Number(spelled.start ?? 0);
      expect(tableOfWeights(counts, 128).map((queue) => queue + start)).toEqual(table);
    }),
  );
});

test.each([
  ['[{"ifname":"eth0","max_mtu":9216}]', 9216],
  ['[{"ifname":"eth0","max_mtu":0}]', undefined],
  ['[{"ifname":"eth0"}]', undefined],
  ['{}', undefined],
  ['', undefined],
  ['[{"max_m', undefined],
])('max_mtu of %s', (text, max) => {
  expect(parseMaxMtu(text)).toBe(max);
});

test('selectors keep their order, give each NIC once, and report what matches nothing', () => {
  const { nics } = buildMachine({
    nics: [
      { name: 'a', bus: '0000:01:00.0' },
      { name: 'b', driver: 'ice' },
      { name: 'br0', physical: false },
    ],
  });
  const found = selectNics(['b', 'driver=igb', 'pci=0000:01:00.0', 'br0', 'c'], nics);
  expect(found.nics.map((nic) => nic.name)).toEqual(['b', 'a', 'br0']);
  expect(found.unmatched).toEqual(['c']);
  expect(listNics([])).toBe('none');
});
