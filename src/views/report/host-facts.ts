import { printCpulist } from '../../topology/cpulist.ts';
import { type Fact, type HostFacts, listFacts } from '../../topology/host-facts.ts';
import { joined, type Markup, NOTHING, paragraph, scrolling, section, tag, text } from './markup.ts';

/** What the host is now, and what of it was otherwise when it was measured. Long lists open. */
export function viewHostFacts(facts: HostFacts | string, measured: HostFacts | undefined): Markup {
  if (typeof facts === 'string') return section('host', 'Host', paragraph(facts, 'muted'));
  return section(
    'host',
    'Host',
    measured === undefined ? NOTHING : viewChanged(facts, measured),
    table(listFacts(facts)),
    opening(`Mitigations (${sayMitigations(facts)})`, listMitigations(facts)),
    opening(`Interrupts (${facts.irqs.length})`, listIrqs(facts)),
  );
}

/** A figure from before a reboot or an update is one of another machine. */
function viewChanged(now: HostFacts, then: HostFacts): Markup {
  const before = new Map(listFacts(then));
  const changed = listFacts(now).filter(([name, value]) => before.get(name) !== value);
  const places = new Map(then.irqs.map(({ name, cpus }) => [name, cpus.join()]));
  const moved = now.irqs.filter(({ name, cpus }) => places.has(name) && places.get(name) !== cpus.join()).length;
  const items = [
    ...changed.map(([name]) => `${name}: ${before.get(name) ?? 'not known'}`),
    ...(moved === 0 ? [] : [`${moved} ${moved === 1 ? 'interrupt' : 'interrupts'} on other CPUs`]),
  ];
  if (items.length === 0) return NOTHING;
  return joined([
    paragraph('When it was measured, this was otherwise:'),
    tag('ul', { class: 'plain' }, ...items.map((item) => tag('li', {}, text(item)))),
  ]);
}

function table(facts: readonly Fact[]): Markup {
  const rows = facts.flatMap(([name, value]) =>
    value === null || value === ''
      ? []
      : [tag('tr', {}, tag('th', { scope: 'row' }, text(name)), tag('td', {}, text(value)))],
  );
  return tag('table', { class: 'facts' }, tag('tbody', {}, ...rows));
}

function opening(title: string, content: Markup): Markup {
  if (content === '') return NOTHING;
  return tag('details', {}, tag('summary', {}, text(title)), content);
}

function sayMitigations({ mitigations }: HostFacts): string {
  const states = Object.values(mitigations);
  const active = states.filter((state) => state.startsWith('Mitigation')).length;
  const open = states.filter((state) => state.startsWith('Vulnerable')).length;
  return `${active} active, ${open} vulnerable`;
}

function listMitigations({ mitigations }: HostFacts): Markup {
  const facts = Object.entries(mitigations);
  return facts.length === 0 ? NOTHING : table(facts);
}

/** By device: the queues and the CPUs on which each arrives. A thousand queues of one device are one row. */
function listIrqs({ irqs }: HostFacts): Markup {
  if (irqs.length === 0) return NOTHING;
  const byDevice = new Map<string, HostFacts['irqs'][number][]>();
  for (const irq of irqs) {
    const device = irq.name.split('/')[0] as string;
    byDevice.set(device, [...(byDevice.get(device) ?? []), irq]);
  }
  const head = ['device', 'interrupts', 'queue → CPUs'];
  const rows = [...byDevice].map(([device, own]) =>
    tag(
      'tr',
      {},
      tag('th', { scope: 'row' }, text(device)),
      tag('td', { class: 'number', 'data-label': head[1] }, text(`${own.length}`)),
      tag('td', { 'data-label': head[2] }, joined(own.map((irq) => sayIrq(irq, device)))),
    ),
  );
  const heads = head.map((name) => tag('th', { scope: 'col' }, text(name)));
  return scrolling(
    tag('table', { class: 'irqs' }, tag('thead', {}, tag('tr', {}, ...heads)), tag('tbody', {}, ...rows)),
  );
}

function sayIrq({ name, cpus, managed }: HostFacts['irqs'][number], device: string): Markup {
  const queue = name.length > device.length ? `${name.slice(device.length + 1)} ` : '';
  const where = printCpulist(cpus) || 'not started';
  return tag('span', { class: 'queue' }, text(`${queue}→ ${where}${managed ? ' (managed)' : ''}`));
}
