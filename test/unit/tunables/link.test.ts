import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { linkKind, parseRootQdisc } from '../../../src/tunables/link.ts';
import type { LinkTunable } from '../../../src/tunables/tunable.ts';
import { FakeHost } from '../../fake-host.ts';

function link(attribute: LinkTunable['attribute']): LinkTunable {
  return { kind: 'link', device: 'enp1s0', attribute };
}

const SHOW = 'tc -j qdisc show dev enp1s0 root';
const MQ = '[{"kind":"mq","handle":"0:","root":true,"options":{}}]\n';
const FQ = '[{"kind":"fq","handle":"8001:","root":true,"refcnt":9,"options":{"limit":10000}}]\n';

test.each([
  ['mtu', 'mtu'],
  ['txqueuelen', 'tx_queue_len'],
] as const)('%s is a file in /sys/class/net', async (attribute, file) => {
  const path = `/sys/class/net/enp1s0/${file}`;
  const host = new FakeHost({ [path]: '1500\n' });
  expect(await linkKind.read(host, link(attribute))).toMatchObject({ status: 'value', value: '1500' });
  await linkKind.write(host, [{ tunable: link(attribute), value: '9000' }]);
  expect(host.log).toEqual([`${path} <- 9000`]);
});

test('an interface that is not there is missing', async () => {
  expect(await linkKind.read(new FakeHost(), link('mtu'))).toMatchObject({ status: 'missing' });
});

describe('qdisc', () => {
  test.each([
    ['mq of the kernel', MQ, { kind: 'mq', isDefault: true }],
    ['fq of an administrator', FQ, { kind: 'fq', isDefault: false }],
    ['none', '[]', undefined],
    ['cut', FQ.slice(0, 30), undefined],
    ['not JSON', 'Cannot find device "enp1s0"', undefined],
    ['a root without a handle', '[{"kind":"fq","root":true}]', undefined],
  ])('%s', (_name, text, expected) => {
    expect(parseRootQdisc(text)).toEqual(expected);
  });

  test('any text at all: no exception', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => parseRootQdisc(text) === undefined));
  });

  test('read; missing without the device; unreadable without tc', async () => {
    expect(await linkKind.read(new FakeHost({}, { [SHOW]: MQ }), link('qdisc'))).toMatchObject({
      status: 'value',
      value: 'mq',
    });
    const noDevice = { found: true, exitCode: 1, stdout: '', stderr: 'Cannot find device "enp1s0"' } as const;
    expect(await linkKind.read(new FakeHost({}, { [SHOW]: noDevice }), link('qdisc'))).toMatchObject({
      status: 'missing',
    });
    expect(await linkKind.read(new FakeHost(), link('qdisc'))).toMatchObject({ status: 'unreadable', code: 'ENOENT' });
  });

  test('another discipline replaces the root', async () => {
    const host = new FakeHost({ '/proc/sys/net/core/default_qdisc': 'fq_codel\n' }, { [SHOW]: MQ, tc: '' });
    await linkKind.write(host, [{ tunable: link('qdisc'), value: 'fq' }]);
    expect(host.log).toEqual(['tc qdisc replace dev enp1s0 root fq']);
  });

  test('going back to what the kernel attaches deletes the root', async () => {
    const host = new FakeHost(
      {},
      {
        [SHOW]: FQ,
        'tc qdisc del dev enp1s0 root': (self) => {
          self.commands.set(SHOW, MQ);
          return '';
        },
      },
    );
    await linkKind.write(host, [{ tunable: link('qdisc'), value: 'mq' }]);
    expect(host.log).toEqual(['tc qdisc del dev enp1s0 root']);
  });

  test('a default that is not what is wanted is replaced after all', async () => {
    const host = new FakeHost({ '/proc/sys/net/core/default_qdisc': 'fq\n' }, { [SHOW]: MQ, tc: '' });
    await linkKind.write(host, [{ tunable: link('qdisc'), value: 'fq' }]);
    expect(host.log).toEqual(['tc qdisc del dev enp1s0 root', 'tc qdisc replace dev enp1s0 root fq']);
  });
});
