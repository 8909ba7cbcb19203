import { HostError } from '../errors.ts';
import type { Host, HostReader } from '../host/host.ts';
import { runEthtool } from './ethtool/execute.ts';
import { showEthtool } from './ethtool/query.ts';
import type { TunableKind } from './kind.ts';
import { parseFlowRules } from './pci/flow-rules.ts';
import type { NtupleRuleTunable, Reading } from './tunable.ts';

/**
 * One rule by which a NIC sends a flow to a queue, through ethtool(8): by what it matches, as its place in the NIC's table is
 * the driver's choice. `ethtool -N` ends with 0 also when it fails, so only reading back tells. Gone with the driver.
 */
export const ntupleRuleKind: TunableKind<NtupleRuleTunable> = {
  persistent: false,
  async read(reader, tunable): Promise<Reading> {
    const shown = await showRules(reader, tunable.device);
    if (!shown.ok) return shown.reading;
    const found = shown.output.find(({ match }) => match === matchOf(tunable.rule));
    const where = `ethtool -n ${tunable.device}`;
    if (found === undefined) {
      return { status: 'value', value: null, evidence: `${where}: none of ${shown.output.length} rules matches this` };
    }
    return {
      status: 'value',
      value: `action ${found.action}`,
      evidence: `${where}: rule ${found.location}, action ${found.action}`,
    };
  },
  canonical(_tunable, value) {
    const words = value.trim().split(/\s+/).join(' ');
    if (/^action (?:-1|\d+)$/.test(words)) return words;
    throw new RangeError(`expected action QUEUE, got ${JSON.stringify(value)}`);
  },
  async write(host, writes) {
    for (const { tunable, value } of writes) await writeRule(host, tunable, value);
  },
};

async function writeRule(host: Host, { device, rule }: NtupleRuleTunable, value: string | null): Promise<void> {
  const shown = await showRules(host, device);
  const there = shown.ok ? shown.output.filter(({ match }) => match === matchOf(rule)) : [];
  for (const { location } of there) await runEthtool(host, ['-N', device, 'delete', location]);
  if (value === null) return;
  const words = [...rule.split(' '), ...value.split(' ')];
  const code = await runEthtool(host, ['-N', device, ...words]);
  if (code !== undefined) throw new HostError('run', `ethtool -N ${device} ${words.join(' ')}`, code);
}

interface ShownRule {
  readonly match: string;
  readonly action: string;
  readonly location: string;
}

function showRules(reader: HostReader, device: string) {
  return showEthtool(reader, { option: '-n', device, parse: parseRules });
}

/** Those rules that are whole and in words; others are nobody's match. */
function parseRules(text: string): readonly ShownRule[] | undefined {
  return parseFlowRules(text)?.rules.flatMap((rule): ShownRule[] => {
    const { match, action, location } =
      /^(?<match>.+) action (?<action>-1|\d+) loc (?<location>\d+)$/.exec(rule)?.groups ?? {};
    if (match === undefined || action === undefined || location === undefined) return [];
    return [{ match: matchOf(match), action, location }];
  });
}

/** No bit is left out: 0.0.0.0, 0x0, 00:00:00:00:00:00, ::. */
const WHOLE = /^(?:0x0+|0(?:\.0){3}|00(?::00){5}|::)$/;

/** What a rule matches, in one order and spelling, without masks that leave nothing out. */
function matchOf(rule: string): string {
  const words = rule.trim().toLowerCase().split(/\s+/);
  const pairs: string[] = [];
  for (let at = 0; at < words.length; at += 2) {
    if (words[at] === 'm') pairs.push(`${pairs.pop()}${WHOLE.test(words[at + 1] ?? '') ? '' : ` m ${words[at + 1]}`}`);
    else pairs.push(`${words[at]} ${words[at + 1]}`);
  }
  return pairs.sort().join(' ');
}
