import { describe, expect, test } from 'vitest';
import { parseFlowRules } from '../../../src/tunables/pci/flow-rules.ts';

const listOf = (...blocks: readonly string[]) =>
  `8 RX rings available\nTotal ${blocks.length} rules\n\n${blocks.map((block) => `Filter: ${block}\n`).join('')}`;

const UDP = `9
\tRule Type: UDP over IPv4
\tSrc IP addr: 10.0.0.0 mask: 0.0.0.255
\tDest IP addr: 239.1.1.1 mask: 0.0.0.0
\tTOS: 0x0 mask: 0xff
\tSrc port: 0 mask: 0xffff
\tDest port: 5000 mask: 0x0
\tVLAN EtherType: 0x0 mask: 0xffff
\tVLAN: 0x64 mask: 0xf000
\tUser-defined: 0x0 mask: 0xffffffffffffffff
\tAction: Direct to queue 2
`;
const TCP6 = `3
\tRule Type: TCP over IPv6
\tSrc IP addr: :: mask: ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff
\tDest IP addr: fd00::1 mask: ::
\tTraffic Class: 0x0 mask: 0xff
\tSrc port: 0 mask: 0xffff
\tDest port: 443 mask: 0x0
\tAction: Drop
`;
const ETHER = `0
\tFlow Type: Raw Ethernet
\tSrc MAC addr: 00:00:00:00:00:00 mask: FF:FF:FF:FF:FF:FF
\tDest MAC addr: 01:1B:19:00:00:00 mask: 00:00:00:00:00:00
\tEthertype: 0x88F7 mask: 0x0
\tAction: Direct to queue 1
`;

describe('rules of flows as ethtool shows them', () => {
  test('become what ethtool takes, with the masks as they are', () => {
    expect(parseFlowRules(listOf(UDP, TCP6, ETHER))).toEqual({
      strange: [],
      rules: [
        'flow-type udp4 src-ip 10.0.0.0 m 0.0.0.255 dst-ip 239.1.1.1 m 0.0.0.0 dst-port 5000 m 0x0 vlan 0x64 m 0xf000 action 2 loc 9',
        'flow-type tcp6 dst-ip fd00::1 m :: dst-port 443 m 0x0 action -1 loc 3',
        'flow-type ether dst 01:1B:19:00:00:00 m 00:00:00:00:00:00 proto 0x88F7 m 0x0 action 1 loc 0',
      ],
    });
  });

  test('none is none', () => expect(parseFlowRules(listOf())).toEqual({ rules: [], strange: [] }));

  test.each([
    ['an RSS context', UDP.replace('\tAction: Direct to queue 2', '\tRSS Context ID: 1\n\tAction: Direct to queue 2')],
    ['an older RSS context', UDP.replace('Action: Direct to queue 2', 'RSS context id 1')],
    ['a virtual function', UDP.replace('Direct to queue 2', 'Direct to VF 1 queue 2')],
    [
      'an address of Ethernet beside IP',
      UDP.replace('\tAction', '\tDest MAC addr: 01:00:00:00:00:00 mask: FF:FF:FF:FF:FF:FF\n\tAction'),
    ],
    ['a type that is not known', UDP.replace('UDP over IPv4', 'IPSEC AH over IPv4')],
    ['a field that is not known', UDP.replace('TOS', 'Flavour')],
    ['no action', UDP.replace(/\tAction.*\n/, '')],
  ])('%s cannot be given back, and is named', (_, block) =>
    expect(parseFlowRules(listOf(TCP6, block))).toMatchObject({
      rules: [expect.stringContaining('tcp6')],
      strange: ['ntuple rule 9'],
    }),
  );

  test('what is cut, or is nothing of the kind, is no list', () => {
    const whole = listOf(UDP, TCP6);
    expect(parseFlowRules(whole.slice(0, whole.indexOf('Filter: 3')))).toBeUndefined();
    for (const text of ['', 'rxclass: Cannot get RX class rule count: Operation not supported\n'])
      expect(parseFlowRules(text)).toBeUndefined();
  });
});
