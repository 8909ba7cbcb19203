/** Rules of a NIC that send flows to queues (ntuple), as `ethtool -n` shows them. */
export interface FlowRules {
  /** Each as `ethtool -N DEVICE` takes it: `flow-type udp4 dst-ip 239.1.1.1 m 0.0.0.0 … action 2 loc 7`. */
  readonly rules: readonly string[];
  /** Those that could not be given back in these words, for people: `ntuple rule 5`. */
  readonly strange: readonly string[];
}

const TYPES: Readonly<Record<string, string>> = {
  'TCP over IPv4': 'tcp4',
  'UDP over IPv4': 'udp4',
  'SCTP over IPv4': 'sctp4',
  'Raw IPv4': 'ip4',
  'TCP over IPv6': 'tcp6',
  'UDP over IPv6': 'udp6',
  'SCTP over IPv6': 'sctp6',
  'Raw IPv6': 'ip6',
  'Raw Ethernet': 'ether',
};

const OPTIONS: Readonly<Record<string, string>> = {
  'Src IP addr': 'src-ip',
  'Dest IP addr': 'dst-ip',
  TOS: 'tos',
  'Traffic Class': 'tclass',
  'Src port': 'src-port',
  'Dest port': 'dst-port',
  Protocol: 'l4proto',
  'L4 bytes': 'l4data',
  'VLAN EtherType': 'vlan-etype',
  VLAN: 'vlan',
  'User-defined': 'user-def',
};
/** Of Ethernet alone: below another type, ethtool prints the mask of an address the other way round. */
const ETHERNET_OPTIONS: Readonly<Record<string, string>> = {
  'Src MAC addr': 'src',
  'Dest MAC addr': 'dst',
  Ethertype: 'proto',
  'VLAN EtherType': 'vlan-etype',
  VLAN: 'vlan',
  'User-defined': 'user-def',
};

/** Parses what `ethtool -n DEVICE` prints; undefined for anything else, and for a list that is cut. ethtool(8) */
export function parseFlowRules(text: string): FlowRules | undefined {
  const total = /^Total (\d+) rules$/m.exec(text)?.[1];
  if (total === undefined) return undefined;
  const blocks = text.split(/^Filter: /m).slice(1);
  if (blocks.length !== Number(total)) return undefined;
  const read = blocks.map(readRule);
  return {
    rules: read.flatMap(({ rule }) => (rule === undefined ? [] : [rule])),
    strange: read.flatMap(({ rule, location }) => (rule === undefined ? [`ntuple rule ${location}`] : [])),
  };
}

function readRule(block: string): { readonly location: string; readonly rule: string | undefined } {
  const [location = '', ...lines] = block.split('\n').map((line) => line.trim());
  const said = lines.filter((line) => line !== '');
  const type = TYPES[/^(?:Rule|Flow) Type: (.+)$/.exec(said[0] ?? '')?.[1] ?? ''];
  const action = readAction(said.at(-1) ?? '');
  if (!/^\d+$/.test(location) || type === undefined || action === undefined) return { location, rule: undefined };
  const matches = said.slice(1, -1).map((line) => readMatch(line, type === 'ether' ? ETHERNET_OPTIONS : OPTIONS));
  if (matches.includes(undefined)) return { location, rule: undefined };
  const words = matches.filter((match) => match !== '');
  return { location, rule: ['flow-type', type, ...words, 'action', action, 'loc', location].join(' ') };
}

/** `Dest port: 5000 mask: 0x0`: bits of the mask that are set do not count, there and where it is set. '': none counts. */
function readMatch(line: string, options: Readonly<Record<string, string>>): string | undefined {
  const { name = '', value, mask } = /^(?<name>[^:]+): (?<value>\S+) mask: (?<mask>\S+)$/.exec(line)?.groups ?? {};
  const option = options[name];
  if (option === undefined || value === undefined || mask === undefined) return undefined;
  return ignoresAll(mask) ? '' : `${option} ${value} m ${mask}`;
}

/** 255.255.255.255, ffff:ffff:…, FF:FF:…, 0xffff. */
function ignoresAll(mask: string): boolean {
  return /^(?:255(?:\.255){3}|ffff(?::ffff){7}|FF(?::FF){5}|0x(?:ff)+)$/i.test(mask);
}

function readAction(line: string): string | undefined {
  if (line === 'Action: Drop') return '-1';
  return /^Action: Direct to queue (\d+)$/.exec(line)?.[1];
}
