import type { PlacedMachine } from '../../layout/layout.ts';
import type { RdmaTunable, Tunable } from '../../tunables/tunable.ts';
import { type Desired, type Disruption, defineDomain, type Refusal, type Setting } from '../domain.ts';
import { NOT_CAPTURED } from '../knobs/directories.ts';
import { observeRdma, type RdmaFacts, type RdmaLink } from './facts.ts';
import type { RdmaWanted } from './schema.ts';

type Decision = Setting | Refusal;

/** RoCE on the trading NIC: what is paused instead of dropped, how connections are marked, how large their packets are. */
export const rdmaDomain = defineDomain<RdmaWanted, RdmaFacts>({
  name: 'rdma',
  schema: async () => (await import('./schema.ts')).rdmaWanted,
  observe: observeRdma,
  desire(wanted, facts, machine): Desired {
    const { links, refused } = chooseLinks(wanted, facts, machine);
    const decisions = links.flatMap((link): readonly Decision[] => {
      if (link.interface === undefined) {
        const reason = `${link.device} is InfiniBand, not Ethernet: nothing here is for it.`;
        return [{ id: `rdma.devices@${link.device}/${link.port}`, reason, kind: 'unsupported' }];
      }
      return [...desireCma(wanted, link), ...desireMtu(wanted, link, facts)];
    });
    const all = [...desirePfc(wanted, links), ...decisions];
    return {
      settings: all.filter((each) => 'tunable' in each),
      refused: [...refused, ...all.filter((each) => 'reason' in each)],
    };
  },
});

function chooseLinks(
  { devices }: RdmaWanted,
  facts: RdmaFacts,
  { layout, nics }: PlacedMachine,
): { readonly links: readonly RdmaLink[]; readonly refused: readonly Refusal[] } {
  if (devices === 'none') return { links: [], refused: [] };
  const none = (reason: string, kind: Refusal['kind'], target = '') => ({
    links: [],
    refused: [{ id: `rdma.devices${target}`, reason, kind }],
  });
  if (facts.devices.length === 0) {
    if (!facts.isWhole) return none(NOT_CAPTURED, 'unknown');
    const reason =
      'There is no RDMA device here (/sys/class/infiniband): load the module of its driver (mlx5_ib, irdma, bnxt_re, rdma_rxe).';
    return none(reason, 'unsupported');
  }
  const { links } = facts;
  if (links === undefined) {
    return none('`rdma link show` does not say which devices are on which NIC: it is in iproute2.', 'unknown');
  }
  const names = links.map(({ device, interface: below }) => `${device} on ${below ?? 'InfiniBand'}`).join(', ');
  if (devices === 'auto') {
    const nic = layout.nic ?? (nics.length === 1 ? nics[0]?.name : undefined);
    const chosen = links.filter((link) => link.interface !== undefined && link.interface === nic);
    if (chosen.length > 0) return { links: chosen, refused: [] };
    return none(
      `No RDMA device is on the trading NIC ${nic ?? '(there is none)'} (there are: ${names}). Name one in rdma.devices.`,
      'unsupported',
    );
  }
  const unmatched = devices.filter((name) => !links.some(({ device }) => device === name));
  return {
    links: links.filter(({ device }) => devices.includes(device)),
    refused: unmatched.map((name) => ({
      id: `rdma.devices@${name}`,
      reason: `No RDMA device here is ${name} (there are: ${names}).`,
      kind: 'refused',
    })),
  };
}

interface Wish {
  readonly id: string;
  readonly tunable: Tunable;
  readonly value: string;
  readonly why: string;
  readonly interface: string;
  readonly disruption?: Disruption;
}

/** Drivers and firmware refuse as they like: what one refuses is reported, and the rest goes on. */
function wish({ disruption = 'none', ...rest }: Wish): Setting {
  return { ...rest, stage: 'values', ifRefused: 'skip', disruption };
}

const PRIORITIES = [0, 1, 2, 3, 4, 5, 6, 7];

/** Of the interface: two devices on one have it once. */
function desirePfc({ pfc }: RdmaWanted, links: readonly RdmaLink[]): readonly Decision[] {
  if (pfc === undefined) return [];
  const interfaces = [...new Set(links.flatMap((link) => link.interface ?? []))];
  return interfaces.flatMap((device) =>
    PRIORITIES.map((priority) => {
      const isOn = pfc.includes(priority);
      return wish({
        id: `rdma.pfc@${device}/${priority}`,
        tunable: { kind: 'dcb-pfc', device, priority },
        value: isOn ? 'on' : 'off',
        why: isOn
          ? 'RoCE loses throughput and time with every packet that is dropped: this priority is paused instead.'
          : 'A priority that is paused stops behind others: only that of RoCE should be.',
        interface: device,
        disruption: 'link',
      });
    }),
  );
}

const MODES = { v1: 'IB/RoCE v1', v2: 'RoCE v2' } as const;

function desireCma({ mode, tos, trafficClass }: RdmaWanted, link: RdmaLink): readonly Decision[] {
  const { device, port } = link;
  const all: readonly (readonly [RdmaTunable['attribute'], string | undefined, string])[] = [
    [
      'cma-mode',
      mode && MODES[mode],
      'New connections of rdma_cm are of this RoCE; those that are there stay as they are.',
    ],
    [
      'cma-tos',
      tos?.toString(),
      'New connections of rdma_cm that ask for nothing are marked so; switches queue them by it.',
    ],
    ['traffic-class', trafficClass?.toString(), 'The driver marks all connections so, whatever they ask for.'],
  ];
  return all.flatMap(([attribute, value, why]) => {
    if (value === undefined) return [];
    const tunable = { kind: 'rdma', device, port, attribute } as const;
    return [
      wish({ id: `rdma.${attribute}@${device}/${port}`, tunable, value, why, interface: link.interface as string }),
    ];
  });
}

/** Ethernet's MTU less the headers that RoCE may have (iboe_get_mtu, include/rdma/ib_addr.h). */
const HEADER_BYTES = 96;

function desireMtu({ mtu }: RdmaWanted, link: RdmaLink, { activeMtus, mtus }: RdmaFacts): readonly Decision[] {
  if (mtu === undefined) return [];
  const { device, port } = link;
  const id = `rdma.active-mtu@${device}/${port}`;
  const below = link.interface as string;
  const active = activeMtus[`${device}/${port}`];
  if (active?.status !== 'value' || active.value === null) {
    return [{ id, reason: active?.evidence ?? 'not read', kind: 'unknown' }];
  }
  if (Number(active.value) < mtu) {
    const reason = `${active.evidence}, and the profile asks for ${mtu} at least: the MTU of ${below} is ${mtus[below] ?? 'not known'}, and has to be ${mtu + HEADER_BYTES} or more (nic.mtu), on every switch on the way too.`;
    return [{ id, reason, kind: 'conflict' }];
  }
  const tunable = { kind: 'rdma', device, port, attribute: 'active-mtu' } as const;
  const why = `RDMA packets are as large as the profile asks for (${mtu} at least).`;
  return [wish({ id, tunable, value: active.value, why, interface: below })];
}
