import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ntupleRuleKind } from '../../../src/tunables/ntuple-rule.ts';
import { FakeHost } from '../../fake-host.ts';

const RULE = 'flow-type udp4 dst-ip 239.1.1.1 dst-port 30001';
const TUNABLE = { kind: 'ntuple-rule', device: 'eth1', rule: RULE } as const;
const UNSUPPORTED = {
  found: true,
  exitCode: 0,
  stdout: '',
  stderr: 'rmgr: Cannot insert RX class rule: Operation not supported\n',
} as const;

/** A NIC with a table of rules: the driver chooses the location. */
function makeNic(first: Record<number, string> = {}, { refuses = false } = {}): FakeHost {
  const table = new Map(Object.entries(first));
  const host = new FakeHost({}, {});
  host.commands.set('ethtool', (_host, _input, [, option, , ...words]) => {
    if (option === '-n') return show(table);
    if (words[0] === 'delete') table.delete(words[1] as string);
    else if (refuses) return UNSUPPORTED;
    else table.set(String(7 + table.size), words.join(' '));
    return '';
  });
  return host;
}

function show(table: ReadonlyMap<string, string>): string {
  const blocks = [...table].map(([location, rule]) => {
    const { ip, port, action } =
      /dst-ip (?<ip>\S+) dst-port (?<port>\d+) action (?<action>\S+)/.exec(rule)?.groups ?? {};
    return `Filter: ${location}
\tRule Type: UDP over IPv4
\tSrc IP addr: 0.0.0.0 mask: 255.255.255.255
\tDest IP addr: ${ip} mask: 0.0.0.0
\tTOS: 0x0 mask: 0xff
\tSrc port: 0 mask: 0xffff
\tDest port: ${port} mask: 0x0
\tAction: Direct to queue ${action}
`;
  });
  return `8 RX rings available\nTotal ${blocks.length} rules\n\n${blocks.join('\n')}`;
}

async function valueOn(host: FakeHost): Promise<string | null | undefined> {
  const reading = await ntupleRuleKind.read(host, TUNABLE);
  return reading.status === 'value' ? reading.value : undefined;
}

describe('a rule that sends a flow to a queue', () => {
  test('is made, sent elsewhere, and taken away; other rules stay', async () => {
    const other = 'flow-type udp4 dst-ip 239.1.1.1 dst-port 30002 action 1';
    const host = makeNic({ 3: other });
    expect(await valueOn(host)).toBeNull();
    for (const value of ['action 6', 'action 5', null]) {
      await ntupleRuleKind.write(host, [{ tunable: TUNABLE, value }]);
      expect(await valueOn(host)).toBe(value);
      const kept = await ntupleRuleKind.read(host, { ...TUNABLE, rule: other.replace(/ action.*/, '') });
      expect(kept).toMatchObject({ status: 'value', value: 'action 1' });
    }
  });

  test('a failure that ends with 0 shows when it is read back', async () => {
    const host = makeNic({}, { refuses: true });
    await ntupleRuleKind.write(host, [{ tunable: TUNABLE, value: 'action 6' }]);
    expect(await valueOn(host)).toBeNull();
  });

  test('a rule with bits left out is another rule', async () => {
    const host = makeNic({ 3: `${RULE} action 6` });
    const list = host.commands.get('ethtool') as () => string;
    host.commands.set('ethtool', (...all) =>
      (list as (...args: unknown[]) => string)(...all).replace('mask: 0.0.0.0', 'mask: 0.0.0.255'),
    );
    expect(await valueOn(host)).toBeNull();
  });

  test('a driver without rules is missing, and no other text is a value', async () => {
    const refuses = {
      found: true,
      exitCode: 1,
      stdout: '',
      stderr: 'rxclass: Cannot get RX class rule count: Operation not supported\n',
    } as const;
    expect(await ntupleRuleKind.read(new FakeHost({}, { 'ethtool -n eth1': refuses }), TUNABLE)).toMatchObject({
      status: 'missing',
    });
    const whole = show(new Map([['3', `${RULE} action 6`]]));
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.string(),
          fc.nat(whole.length - 1).map((end) => whole.slice(0, end)),
        ),
        async (text) => {
          const reading = await ntupleRuleKind.read(new FakeHost({}, { 'ethtool -n eth1': text }), TUNABLE);
          expect(reading.status === 'value' ? reading.value : 'none').not.toBe('action 60');
          if (reading.status === 'value') expect(text).toContain('Total 1 rules');
        },
      ),
    );
  });
});
