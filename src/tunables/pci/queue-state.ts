import { HostError } from '../../errors.ts';
import type { Host, HostReader } from '../../host/host.ts';
import { showEthtool } from '../ethtool/query.ts';
import { linkKind, parseRootQdisc, showQdisc } from '../link.ts';
import type { QueueState } from '../tunable.ts';
import { type FlowRules, parseFlowRules } from './flow-rules.ts';

const NET = '/sys/class/net';
const OF_INTERFACE = ['tx_queue_len', 'gro_flush_timeout', 'napi_defer_hard_irqs', 'threaded'];
const OF_QUEUE = { 'rx-': ['rps_cpus', 'rps_flow_cnt'], 'tx-': ['xps_cpus', 'xps_rxqs'] } as const;

/** Queueing disciplines without options: one that somebody set is put back by its name alone. */
const WITHOUT_OPTIONS = ['mq', 'noqueue', 'pfifo_fast'];

/** What hangs on the queues of an interface, and goes with its driver. */
export async function readQueueState(reader: HostReader, name: string): Promise<QueueState> {
  const rules = await readRules(reader, name);
  const qdisc = await readQdisc(reader, name);
  return {
    files: await readFiles(reader, name),
    irqs: Object.fromEntries((await readIrqs(reader, name)).map(({ action, affinity }) => [action, affinity])),
    rules: rules.rules,
    ...(qdisc.kind !== undefined && { qdisc: qdisc.kind }),
    lost: [...rules.strange, ...qdisc.lost],
  };
}

async function readRules(reader: HostReader, name: string): Promise<FlowRules> {
  const shown = await showEthtool(reader, { option: '-n', device: name, parse: parseFlowRules });
  return shown.ok ? shown.output : { rules: [], strange: [] };
}

/** What the kernel attached by itself (handle 0:) comes back by itself. */
async function readQdisc(reader: HostReader, name: string) {
  const shown = await reader.query(showQdisc(name));
  const root = shown.found ? parseRootQdisc(shown.stdout) : undefined;
  const kind = root === undefined || root.isDefault ? undefined : root.kind;
  const options = kind === undefined || WITHOUT_OPTIONS.includes(kind) ? [] : [`the options of its qdisc ${kind}`];
  return { kind, lost: [...options, ...(await listBelow(reader, name)).map((each) => `qdisc ${each}`)] };
}

/** Those that somebody put below the root, or beside it (clsact). */
async function listBelow(reader: HostReader, name: string): Promise<readonly string[]> {
  const shown = await reader.query(['tc', '-j', 'qdisc', 'show', 'dev', name]);
  const list = shown.found ? parseList(shown.stdout) : [];
  return list.flatMap(({ kind, handle, root }) => (root === true || handle === '0:' ? [] : [`${kind} ${handle}`]));
}

function parseList(text: string): readonly Readonly<Record<string, unknown>>[] {
  try {
    const parsed: unknown = JSON.parse(text);
    return Array.isArray(parsed) ? parsed.filter((each) => typeof each === 'object' && each !== null) : [];
  } catch (error) {
    if (error instanceof SyntaxError) return [];
    throw error;
  }
}

/** By path below the interface. What this kernel or driver does not have, or does not show, is left out. */
async function readFiles(reader: HostReader, name: string): Promise<Readonly<Record<string, string>>> {
  const queues = (await reader.list(`${NET}/${name}/queues`)) ?? [];
  const paths = [
    ...OF_INTERFACE,
    ...Object.entries(OF_QUEUE).flatMap(([kind, files]) =>
      queues
        .filter((queue) => queue.startsWith(kind))
        .flatMap((queue) => files.map((each) => `queues/${queue}/${each}`)),
    ),
  ];
  const read = paths.map(async (path) => {
    const text = await readShown(reader, `${NET}/${name}/${path}`);
    return text === undefined || text === '' ? [] : [[path, text] as const];
  });
  return Object.fromEntries((await Promise.all(read)).flat());
}

interface NamedIrq {
  readonly irq: string;
  readonly action: string;
  /** cpulist */
  readonly affinity: string;
}

/** Those that the driver has asked for: their numbers are others with the next driver, their names are not. */
async function readIrqs(reader: HostReader, name: string): Promise<readonly NamedIrq[]> {
  const irqs = (await reader.list(`${NET}/${name}/device/msi_irqs`)) ?? [];
  const read = irqs.map(async (irq) => {
    const action = await readShown(reader, `/sys/kernel/irq/${irq}/actions`);
    const affinity = await readShown(reader, `/proc/irq/${irq}/smp_affinity_list`);
    return action === undefined || action === '' || affinity === undefined ? [] : [{ irq, action, affinity }];
  });
  return (await Promise.all(read)).flat();
}

async function readShown(reader: HostReader, path: string): Promise<string | undefined> {
  try {
    return (await reader.readText(path))?.trim();
  } catch (error) {
    if (error instanceof HostError) return undefined;
    throw error;
  }
}

/** What an interface lacks of what it had, for people. */
export function listQueueLacking(had: QueueState, now: QueueState): readonly string[] {
  const differing = (what: string, of: Readonly<Record<string, string>>, is: Readonly<Record<string, string>>) =>
    Object.entries(of).flatMap(([key, value]) => (is[key] === value ? [] : [`${what}${key} ${value}`]));
  return [
    ...differing('', had.files, now.files),
    ...differing('interrupt ', had.irqs, now.irqs),
    ...had.rules.filter((rule) => !now.rules.includes(rule)).map((rule) => `ntuple rule ${rule}`),
    ...(had.qdisc === undefined || had.qdisc === now.qdisc ? [] : [`qdisc ${had.qdisc}`]),
  ];
}

/** Puts back what the interface lacks; drivers have their interrupts and rules only while it is up. Reading back tells what took. */
export async function restoreQueueState(host: Host, name: string, had: QueueState): Promise<void> {
  const now = await readQueueState(host, name);
  if (had.qdisc !== undefined && had.qdisc !== now.qdisc)
    await tryTo(() =>
      linkKind.write(host, [
        { tunable: { kind: 'link', device: name, attribute: 'qdisc' }, value: had.qdisc as string },
      ]),
    );
  for (const [path, value] of Object.entries(had.files))
    if (now.files[path] !== value) await tryTo(() => host.writeText(`${NET}/${name}/${path}`, value));
  for (const rule of had.rules)
    if (!now.rules.includes(rule)) await host.execute(['ethtool', '-N', name, ...rule.split(' ')]);
  for (const { irq, action, affinity } of await readIrqs(host, name)) {
    const wanted = had.irqs[action];
    if (wanted !== undefined && wanted !== affinity)
      await tryTo(() => host.writeText(`/proc/irq/${irq}/smp_affinity_list`, wanted));
  }
}

export async function tryTo(act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
  }
}
