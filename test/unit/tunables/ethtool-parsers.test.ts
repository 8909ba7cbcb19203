import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseCoalesce } from '../../../src/tunables/ethtool/coalesce.ts';
import { parseEee } from '../../../src/tunables/ethtool/eee.ts';
import { parseFeatureParameters, parseFeatures } from '../../../src/tunables/ethtool/features.ts';
import { canonicalIndirection, parseIndirection, spellIndirection } from '../../../src/tunables/ethtool/indirection.ts';
import { parseChannels, parseRings } from '../../../src/tunables/ethtool/maximums.ts';
import type { Parameters } from '../../../src/tunables/ethtool/output.ts';
import { parsePause } from '../../../src/tunables/ethtool/pause.ts';
import { parsePrivateFlags } from '../../../src/tunables/ethtool/private-flags.ts';
import { findError } from '../../../src/tunables/ethtool/strerror.ts';
import * as captures from './ethtool-captures.ts';

function valuesOf(parameters: Parameters | undefined): Record<string, string | undefined> {
  return Object.fromEntries([...(parameters ?? [])].map(([key, { value }]) => [key, value]));
}

describe('values and n/a', () => {
  test('rings of a driver with RX and TX only, with their maximums', () => {
    const rings = parseRings(captures.IGB_RINGS, 'enp1s0');
    expect(valuesOf(rings)).toEqual({
      rx: '256',
      'rx-mini': undefined,
      'rx-jumbo': undefined,
      tx: '512',
      'rx-buf-len': undefined,
      'cqe-size': undefined,
      'tx-push': 'off',
      'tcp-data-split': undefined,
    });
    expect(rings?.get('rx')).toEqual({ value: '256', max: 4096, line: 'RX:\t\t256' });
    expect(rings?.get('tx-push')?.max).toBeUndefined();
  });

  test('rings as ethtool 5.4 prints them', () => {
    expect(parseRings(captures.OLD_RINGS, 'eth0')?.get('tx')).toEqual({
      value: '1024',
      max: 8192,
      line: 'TX:\t\t1024',
    });
  });

  test('channels', () => {
    expect(valuesOf(parseChannels(captures.IGB_CHANNELS, 'enp1s0'))).toEqual({
      rx: undefined,
      tx: undefined,
      other: '1',
      combined: '4',
    });
  });

  test('pause parameters are not what was negotiated', () => {
    expect(valuesOf(parsePause(captures.IGB_PAUSE, 'enp1s0'))).toEqual({ autoneg: 'on', rx: 'off', tx: 'on' });
  });

  test('coalescing, with two values on a line and the two spellings of rx-frames-low', () => {
    const coalesce = parseCoalesce(captures.VIRTIO_COALESCE, 'enp0s2');
    expect(coalesce?.get('adaptive-rx')?.value).toBe('off');
    expect(coalesce?.has('adaptive-tx')).toBe(true);
    expect(coalesce?.get('adaptive-tx')?.value).toBeUndefined();
    expect(coalesce?.get('rx-usecs')?.value).toBe('3');
    expect(coalesce?.get('tx-usecs')?.value).toBe('64');
    expect(coalesce?.get('rx-frames-low')?.value).toBe('7');
    expect(coalesce?.get('cqe-mode-tx')?.value).toBe('on');
    expect(coalesce?.size).toBe(24);
    const old = captures.VIRTIO_COALESCE.replaceAll('-frame-', '-frames-');
    expect(valuesOf(parseCoalesce(old, 'enp0s2'))).toEqual(valuesOf(coalesce));
  });

  test('private flags with and without padded names', () => {
    expect(valuesOf(parsePrivateFlags(captures.IGB_PRIVATE_FLAGS, 'enp1s0'))).toEqual({ 'legacy-rx': 'off' });
    expect(valuesOf(parsePrivateFlags(captures.MLX5_PRIVATE_FLAGS, 'ens1f0np0'))).toEqual({
      rx_cqe_moder: 'on',
      tx_cqe_moder: 'off',
      rx_cqe_compress: 'off',
      rx_striding_rq: 'on',
    });
  });

  test.each([
    ['EEE on', captures.EEE_ON, { eee: 'on', 'tx-lpi': 'on', 'tx-timer': '17' }],
    ['EEE off, before ethtool 5.6', captures.EEE_OFF_OLD, { eee: 'off', 'tx-lpi': 'off' }],
    ['no EEE', captures.EEE_NONE, {}],
  ])('%s', (_name, text, expected) => {
    expect(valuesOf(parseEee(text, 'eno1'))).toEqual(expected);
  });

  test('features: short and long names, fixed ones, members of a summary', () => {
    const features = parseFeatures(captures.VIRTIO_FEATURES, 'eth0');
    expect(features?.get('tcp-segmentation-offload')?.members).toEqual([
      'tx-tcp-segmentation',
      'tx-tcp-ecn-segmentation',
      'tx-tcp-mangleid-segmentation',
      'tx-tcp6-segmentation',
    ]);
    expect(features?.get('tx-tcp-ecn-segmentation')).toMatchObject({ value: 'off', isFixed: false });
    expect(features?.get('large-receive-offload')).toMatchObject({ value: 'off', isFixed: true });
    const parameters = parseFeatureParameters(captures.VIRTIO_FEATURES, 'eth0');
    expect(parameters?.get('gro')).toEqual(parameters?.get('generic-receive-offload'));
    expect(parameters?.get('tso')?.value).toBe('on');
  });
});

describe('RSS tables', () => {
  test('a table in blocks', () => {
    const rss = parseIndirection(captures.IGB_RSS, 'enp1s0');
    expect(rss?.rings).toBe(8);
    expect(spellIndirection(rss?.table ?? [])).toBe('weight 16 16 16 16 16 16 16 16');
  });

  test.each([
    [[0, 1, 2, 0, 1, 2, 0, 1], 'equal 3'],
    [[0, 0, 0, 0], 'equal 1'],
    [[2, 3, 2, 3], 'start 2 equal 2'],
    [[0, 0, 0, 1], 'weight 3 1'],
    [[0, 0, 2, 2], 'weight 2 0 2'],
    [[1, 1, 2, 2], 'start 1 weight 2 2'],
    [[0, 1, 1, 0], 'table 0,1,1,0'],
  ])('%j is %s', (table, spelled) => {
    expect(spellIndirection(table)).toBe(spelled);
    expect(canonicalIndirection(spelled)).toBe(spelled);
  });

  test('a driver without a table, and a table with a row missing, have none', () => {
    expect(parseIndirection(captures.VIRTIO_NO_RSS, 'eth0')).toBeUndefined();
    const lines = captures.IGB_RSS.split('\n');
    expect(parseIndirection([...lines.slice(0, 3), ...lines.slice(4)].join('\n'), 'enp1s0')).toBeUndefined();
  });
});

type Parser = (text: string) => Record<string, string | undefined>;

const PARSERS: readonly (readonly [name: string, text: string, parse: Parser])[] = [
  ['-g', captures.IGB_RINGS, (text) => valuesOf(parseRings(text, 'enp1s0'))],
  ['-l', captures.IGB_CHANNELS, (text) => valuesOf(parseChannels(text, 'enp1s0'))],
  ['-a', captures.IGB_PAUSE, (text) => valuesOf(parsePause(text, 'enp1s0'))],
  ['-c', captures.VIRTIO_COALESCE, (text) => valuesOf(parseCoalesce(text, 'enp0s2'))],
  ['-k', captures.VIRTIO_FEATURES, (text) => valuesOf(parseFeatureParameters(text, 'eth0'))],
  ['--show-priv-flags', captures.MLX5_PRIVATE_FLAGS, (text) => valuesOf(parsePrivateFlags(text, 'ens1f0np0'))],
  ['--show-eee', captures.EEE_ON, (text) => valuesOf(parseEee(text, 'eno1'))],
  [
    '-x',
    captures.IGB_RSS,
    (text) => {
      const rss = parseIndirection(text, 'enp1s0');
      return rss === undefined ? {} : { indirection: spellIndirection(rss.table) };
    },
  ],
];

describe.each(PARSERS)('damaged output of %s', (_option, text, parse) => {
  const whole = parse(text);

  test('cut anywhere: fewer values, never other ones', () => {
    for (let end = 0; end < text.length; end++) {
      for (const [key, value] of Object.entries(parse(text.slice(0, end)))) expect(value).toBe(whole[key]);
    }
  });

  test('of another device: nothing', () => {
    expect(parse(text.replace(/(?<= for )\S+?(?=[ :])/, 'other0'))).toEqual({});
  });

  test('letters for digits and line noise: a value of the form or none', () => {
    const noise = fc.array(
      fc.tuple(fc.nat(text.length - 1), fc.constantFrom('x', '\n', ' ', '\0', ':', 'é', '-', '.')),
      {
        minLength: 1,
        maxLength: 4,
      },
    );
    fc.assert(
      fc.property(noise, (changes) => {
        const letters = [...text];
        for (const [at, letter] of changes) letters[at] = letter;
        for (const value of Object.values(parse(letters.join('')))) {
          if (value !== undefined)
            expect(value).toMatch(/^(?:on|off|\d+|(?:start \d+ )?(?:equal|weight|table) [\d ,]+)$/);
        }
      }),
    );
  });

  test('any text at all: no exception', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (noise) => Object.keys(parse(noise)).length === 0));
  });
});

test.each([
  ['netlink error: Operation not supported', 'EOPNOTSUPP'],
  ['netlink error: requested ring size exceeds maximum (offset 36)\nnetlink error: Invalid argument\n', 'EINVAL'],
  ['Cannot get device ring settings: Operation not supported', 'EOPNOTSUPP'],
  [
    'rxclass: Cannot get RX class rule count: Operation not supported\nRX classification rule retrieval failed',
    'EOPNOTSUPP',
  ],
  ['netlink error: no device matches name (offset 24)\nnetlink error: No such device', 'ENODEV'],
  ['ethtool: bad command line argument(s)\nFor more information run ethtool -h', undefined],
  ['', undefined],
])('the errno of %j', (stderr, code) => {
  expect(findError(stderr)?.code).toBe(code);
});
