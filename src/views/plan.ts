import type { Change, Plan } from '../engine/plan.ts';
import { paint, type Style, type Terminal, wrap } from './terminal.ts';

/** The plan for people: what changes from what to what, why, and what it disturbs; then what is not done, and why. */
export function viewPlan(plan: Plan, terminal: Terminal): string {
  const blocks = [viewHeader(plan, terminal)];
  for (const domain of new Set(plan.changes.map((change) => change.domain))) {
    const changes = plan.changes.filter((change) => change.domain === domain);
    blocks.push(
      [paint(terminal, 'bold', domain), ...groupAlike(changes).map((alike) => viewAlike(alike, terminal))].join('\n'),
    );
  }
  if (plan.refused.length > 0) blocks.push(viewRefused(plan, terminal));
  if (plan.kept.length > 0) blocks.push(viewKept(plan, terminal));
  if (plan.unread.length > 0) blocks.push(viewUnread(plan, terminal));
  blocks.push(viewSummary(plan, terminal));
  return blocks.join('\n\n');
}

function viewHeader({ profile, host, layout }: Plan, terminal: Terminal): string {
  const title = `Profile ${paint(terminal, 'bold', profile)} on ${paint(terminal, 'bold', host)}`;
  const roles = [
    `housekeeping ${layout.housekeeping || 'none'}`,
    `irq ${layout.irq || 'on housekeeping'}`,
    `isolated ${layout.isolated || 'none'}`,
  ];
  return `${title}\n${paint(terminal, 'dim', wrap(`CPUs: ${roles.join(' · ')}`, terminal.columns, 6))}`;
}

/** Changes that want the same for the same reason (every kernel thread, every CPU) are shown as one. */
function groupAlike(changes: readonly Change[]): readonly (readonly Change[])[] {
  const groups = new Map<string, Change[]>();
  for (const change of changes) {
    const { id, why } = change.setting;
    const key = JSON.stringify([id.split('@')[0], change.desired, change.staged, why, change.disruption]);
    groups.set(key, [...(groups.get(key) ?? []), change]);
  }
  return [...groups.values()];
}

const SHOWN_ALIKE = 2;

function viewAlike(alike: readonly Change[], terminal: Terminal): string {
  const first = alike[0] as Change;
  if (alike.length <= SHOWN_ALIKE) return alike.map((change) => viewChange(change, terminal)).join('\n');
  const prefix = first.setting.id.split('@')[0] as string;
  const targets = alike.map((change) => change.setting.id.slice(prefix.length + 1));
  const currents = [...new Set(alike.map((change) => show(change.current)))];
  const shown = currents.length > 3 ? `${currents.slice(0, 3).join(' or ')} …` : currents.join(' or ');
  const title = `  ${paint(terminal, 'yellow', '~')} ${prefix}  ${alike.length} × ${shown} → ${paint(terminal, 'bold', show(first.desired))}`;
  const list = wrap(targets.join(', '), terminal.columns - 6)
    .split('\n')
    .map((line) => `      ${line}`);
  const why = wrap(`${first.setting.why}${disturbance(first)}${moved(alike)}`, terminal.columns - 6).split('\n');
  return [title, ...list, ...why.map((text) => paint(terminal, 'dim', `      ${text}`))].join('\n');
}

/** One change: the id and the values on one line where they fit, the reason below. */
function viewChange(change: Change, terminal: Terminal): string {
  const sign = change.current === null ? '+' : change.desired === null ? '-' : '~';
  const style: Style = change.current === null ? 'green' : change.desired === null ? 'red' : 'yellow';
  const values = `${show(change.current)} → ${paint(terminal, 'bold', show(change.desired))}${staged(change)}`;
  const cost = `${disturbance(change)}${moved([change])}`;
  const first = `  ${paint(terminal, style, sign)} ${change.setting.id}  `;
  const plainLength =
    6 +
    change.setting.id.length +
    show(change.current).length +
    show(change.desired).length +
    3 +
    staged(change).length;
  const line = plainLength <= terminal.columns ? `${first}${values}` : `${first.trimEnd()}\n      ${values}`;
  const why = wrap(`${change.setting.why}${cost}`, terminal.columns - 6).split('\n');
  return [line, ...why.map((text) => paint(terminal, 'dim', `      ${text}`))].join('\n');
}

function staged(change: Change): string {
  if (change.staged === undefined || change.staged === change.current) return '';
  return `  (next boot: ${show(change.staged)})`;
}

function disturbance(change: Change): string {
  if (change.takesEffect === 'reboot') return ' Takes effect at the next boot.';
  if (change.disruption === 'link')
    return ` The link of ${change.setting.interface ?? 'the interface'} goes down for a moment.`;
  if (change.disruption === 'process') return ' Processes are disturbed while it is made.';
  return '';
}

/** What the kernel would change along, and hft moves first. */
function moved(changes: readonly Change[]): string {
  const all = changes.flatMap(({ bystanders = [] }) => bystanders).filter(({ from, to }) => from !== to);
  if (all.length === 0) return '';
  const list = all.map(({ bystander, from, to }) => `${bystander.id} (${from} → ${to})`).join(', ');
  if (changes[0]?.setting.leftBy) return ` Goes back with it: ${list}.`;
  return ` Moved first, to come back with it: ${list}.`;
}

/** Long or many-line values (files) are shown by their size. */
function show(value: string | null): string {
  if (value === null) return 'nothing';
  if (value === '') return "''";
  if (value.includes('\n')) return `a file of ${value.split('\n').length - 1} lines`;
  return value;
}

function viewRefused({ refused }: Plan, terminal: Terminal): string {
  return viewReasons('Not done here, and why', refused, terminal);
}

function viewKept({ kept }: Plan, terminal: Terminal): string {
  return viewReasons('Left as somebody else changed it', kept, terminal);
}

interface Reason {
  readonly id: string;
  readonly reason: string;
}

function viewReasons(title: string, reasons: readonly Reason[], terminal: Terminal): string {
  const lines = groupByReason(reasons).map(({ ids, reason }) => {
    const text = wrap(reason, terminal.columns - 6).split('\n');
    return [
      `  ${paint(terminal, 'magenta', '!')} ${ids}`,
      ...text.map((each) => paint(terminal, 'dim', `      ${each}`)),
    ].join('\n');
  });
  return [paint(terminal, 'bold', title), ...lines].join('\n');
}

/** The same reason for many targets (every CPU without cpufreq) is said once. */
function groupByReason(refused: readonly Reason[]): readonly { readonly ids: string; readonly reason: string }[] {
  const groups = new Map<string, { ids: string[]; reason: string }>();
  for (const { id, reason } of refused) {
    const key = `${id.split('@')[0]} ${reason.replace(/\d+/g, '#')}`;
    const group = groups.get(key) ?? { ids: [], reason };
    group.ids.push(id);
    groups.set(key, group);
  }
  return [...groups.values()].map(({ ids, reason }) => ({
    ids: ids.length > 2 ? `${ids[0]} and ${ids.length - 1} more like it` : ids.join(', '),
    reason,
  }));
}

function viewUnread({ unread }: Plan, terminal: Terminal): string {
  const shown = unread.slice(0, 8).map((each) => {
    const evidence = wrap(each.evidence.split('\n')[0] as string, terminal.columns - 6).replaceAll('\n', '\n      ');
    return `  ${paint(terminal, 'cyan', '?')} ${each.setting.id}\n${paint(terminal, 'dim', `      ${evidence}`)}`;
  });
  const rest = unread.length > 8 ? [`  … and ${unread.length - 8} more (--json shows all)`] : [];
  return [paint(terminal, 'bold', 'Could not be read'), ...shown, ...rest].join('\n');
}

function viewSummary(plan: Plan, terminal: Terminal): string {
  const counts = [
    `${plan.changes.length} to change`,
    `${plan.satisfied.length} as wanted`,
    `${plan.refused.length} not done`,
    ...(plan.unread.length > 0 ? [`${plan.unread.length} unknown`] : []),
  ].join(', ');
  const reboot = plan.reboot ? ' A reboot is needed for part of it.' : '';
  const style: Style = plan.changes.length > 0 ? 'yellow' : plan.unread.length > 0 ? 'cyan' : 'green';
  return `${paint(terminal, style, counts)}.${reboot}`;
}
