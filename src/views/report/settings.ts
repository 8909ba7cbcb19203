import type { Change, Plan } from '../../engine/plan.ts';
import type { Verification, VerifyResult, VerifyStatus } from '../../engine/verify.ts';
import type { SettingsPart } from './input.ts';
import { joined, type Markup, NOTHING, paragraph, scrolling, section, tag, text } from './markup.ts';

/** A profile of thousands of settings (interrupts of a large host) stays readable, and the page small. */
const LISTED_MAX = 300;

/** What the profile would change, and which of its settings are in effect. */
export function viewSettings(part: SettingsPart | string | undefined): Markup {
  if (part === undefined) return NOTHING;
  if (typeof part === 'string') return section('settings', 'Settings', paragraph(part, 'muted'));
  return joined([viewPlan(part.plan), viewVerification(part.verification)]);
}

function viewPlan(plan: Plan): Markup {
  const { profile, layout, changes, satisfied, refused, unread, reboot } = plan;
  const roles = `CPUs: housekeeping ${layout.housekeeping || 'none'}, irq ${layout.irq || 'on housekeeping'}, isolated ${layout.isolated || 'none'}.`;
  const counts = `${changes.length} to change, ${satisfied.length} as wanted, ${refused.length} not done, ${unread.length} unknown.${reboot ? ' A reboot is needed for part of it.' : ''}`;
  const domains = [...new Set(changes.map(({ domain }) => domain))];
  return section(
    'plan',
    `Plan of ${profile}`,
    paragraph(roles),
    paragraph(counts),
    ...domains.map((domain) => viewDomain(domain, changes)),
    opening(`Not done, and why (${refused.length})`, refused, ({ id, reason }) => [id, reason]),
  );
}

function viewDomain(domain: string, changes: readonly Change[]): Markup {
  const own = changes.filter((change) => change.domain === domain);
  return opening(
    `${domain}: ${own.length} to change`,
    own,
    ({ setting, current, desired, takesEffect, disruption }) => [
      setting.id,
      [
        `${short(current)} → ${short(desired)}.`,
        setting.why,
        disruption === 'none' ? '' : `Disturbs: ${disruption}.`,
        takesEffect === 'reboot' ? 'Takes effect at the next boot.' : '',
      ]
        .filter((part) => part !== '')
        .join(' '),
    ],
  );
}

function short(value: string | null): string {
  if (value === null) return 'nothing';
  return value.includes('\n') ? `a file of ${value.split('\n').length - 1} lines` : value;
}

/** A list of names with what is said of each, closed. */
function opening<T>(title: string, items: readonly T[], say: (item: T) => readonly [string, string]): Markup {
  if (items.length === 0) return NOTHING;
  return tag('details', {}, tag('summary', {}, text(title)), listItems(items, say));
}

function listItems<T>(items: readonly T[], say: (item: T) => readonly [string, string]): Markup {
  const rows = items.slice(0, LISTED_MAX).map((item) => {
    const [name, said] = say(item);
    return tag('tr', {}, tag('th', { scope: 'row' }, text(name)), tag('td', {}, text(said)));
  });
  const left = items.length - rows.length;
  return joined([
    scrolling(tag('table', { class: 'facts' }, tag('tbody', {}, ...rows))),
    ...(left > 0 ? [paragraph(`${left} more are in --json.`, 'muted')] : []),
  ]);
}

const ORDER: readonly VerifyStatus[] = ['fail', 'unknown', 'pending-reboot', 'unsupported', 'pass'];

function viewVerification({ results, summary, profile }: Verification): Markup {
  const badges = ORDER.filter((status) => summary[status] > 0).map((status) =>
    tag('span', { class: `badge ${status}` }, text(`${summary[status]} ${status}`)),
  );
  const lists = ORDER.map((status) => {
    const found = results.filter((result) => result.status === status);
    return opening(`${status} (${found.length})`, found, (result) => [result.id, sayResult(result)]);
  });
  const intro = tag('p', { class: 'badges' }, ...badges);
  return section(
    'settings',
    `Settings of ${profile}`,
    results.length > 0 ? intro : paragraph('Nothing to verify.'),
    ...lists,
  );
}

function sayResult({ status, expected, actual, evidence }: VerifyResult): string {
  const wanted = status === 'fail' ? `Expected ${short(expected)}, is ${short(actual)}. ` : '';
  return `${wanted}${evidence}`;
}
