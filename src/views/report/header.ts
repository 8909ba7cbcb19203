import { QUANTILES } from '../../latency/targets/target.ts';
import { printLimit, printNs } from '../duration.ts';
import type { AttributedResult, ReportInput } from './input.ts';
import { joined, type Markup, NOTHING, tag, text } from './markup.ts';
import { nameCpus, nameMeasure } from './series-name.ts';

/** The host, when, and in one line what came of it. */
export function viewHeader(input: ReportInput): Markup {
  const { host, time, version, latency, baseline } = input;
  const measured = typeof latency === 'string' ? undefined : latency;
  const lines = [
    measured === undefined ? '' : `measured ${sayTime(measured.time)} by hft ${measured.version}`,
    `page written ${sayTime(time)} by hft ${version}`,
    baseline === undefined ? '' : `beside it: ${baseline.name}, measured ${sayTime(baseline.time)}`,
  ].filter((line) => line !== '');
  return tag(
    'header',
    {},
    tag('h1', {}, text(host)),
    tag('p', { class: 'muted' }, text(lines.join(' · '))),
    measured === undefined ? NOTHING : viewVerdict(measured.result),
  );
}

function viewVerdict(result: AttributedResult): Markup {
  const { verdict, line } = summarize(result);
  return joined([
    tag('p', { class: `verdict ${verdict}` }, tag('strong', {}, text(SIGNS[verdict])), text(` ${line}`)),
    tag('p', {}, text(sayWhere(result))),
  ]);
}

type Overall = 'pass' | 'fail' | 'inconclusive' | 'none';

const SIGNS: Readonly<Record<Overall, string>> = {
  pass: '✓ PASS',
  fail: '✗ FAIL',
  inconclusive: '? UNDECIDED',
  none: '–',
};

/** As the exit code of `hft verify latency` is: a missed limit counts for more than an undecided one. */
function summarize(result: AttributedResult): { verdict: Overall; line: string } {
  const { summary, cut, profile, probes, notMeasured } = result;
  if (cut)
    return { verdict: 'inconclusive', line: 'It was ended before its time; what was measured until then is below.' };
  if (profile === null)
    return { verdict: 'none', line: `${probes.length} measured, none judged: no profile was named.` };
  const counts = [
    [summary.fail, 'missed'],
    [summary.inconclusive, 'undecided'],
    [summary.pass, 'met'],
    [summary.notJudged, 'not judged'],
    [summary.notMeasured, 'not measured'],
  ].flatMap(([count, what]) => (count === 0 ? [] : [`${count} ${what}`]));
  const said = `Of the limits of ${profile.name}: ${counts.join(', ') || 'none fits what was measured'}.`;
  if (summary.fail > 0) return { verdict: 'fail', line: `${said}${sayWorst(result)}` };
  const isOpen = summary.inconclusive + summary.notJudged > 0 || notMeasured.some(isWanted);
  if (isOpen) return { verdict: 'inconclusive', line: said };
  return { verdict: summary.pass > 0 ? 'pass' : 'none', line: said };
}

function isWanted({ target, isLeftOut }: AttributedResult['notMeasured'][number]): boolean {
  return target !== null && !isLeftOut;
}

/** The limit that is missed by the largest factor. */
function sayWorst({ probes }: AttributedResult): string {
  const missed = probes.flatMap((row) =>
    QUANTILES.flatMap(({ name }) => {
      const judged = row.judgements[name];
      const { lower } = row.interval[name];
      if (judged?.verdict !== 'fail') return [];
      return [{ row, name, lower, limitNs: judged.limitNs, factor: lower / judged.limitNs }];
    }),
  );
  const [worst] = missed.sort((one, other) => other.factor - one.factor);
  if (worst === undefined) return '';
  const where = [worst.row.name, nameMeasure(worst.row)].join(' ');
  return ` The worst: ${where}, ${worst.name.toUpperCase()} is at least ${printNs(worst.lower)}, allowed ${printLimit(worst.limitNs)}.`;
}

function sayWhere({ cpus, profile, hypervisor, suite }: AttributedResult): string {
  const parts = [`Measured on ${nameCpus(cpus.cpus)} (${cpus.why}), suite ${suite}.`, sayDistance(profile)];
  if (hypervisor !== null) {
    const name = hypervisor === 'unknown' ? '' : ` (${hypervisor})`;
    parts.push(`This is a virtual machine${name}: what the hypervisor does to its CPUs is in these figures.`);
  }
  return parts.filter((part) => part !== '').join(' ');
}

function sayDistance(profile: AttributedResult['profile']): string {
  if (profile === null) return '';
  const { name, differs, unread, why } = profile;
  if (differs === null) return `Judged by ${name}, which cannot be compared with this host: ${why}`;
  if (differs === 0 && !unread) return `Judged by ${name}, which the host was tuned to.`;
  const unknown = unread ? ` (${unread} more could not be read)` : '';
  return `Judged by ${name}, from which the host differed in ${differs} ${differs === 1 ? 'setting' : 'settings'}${unknown}.`;
}

/** `2026-11-21 16:05 UTC` of an ISO time. */
export function sayTime(iso: string): string {
  const match = /^(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2})(?::\d{2}(?:\.\d+)?)?Z$/.exec(iso);
  return match === null ? iso : `${match[1]} ${match[2]} UTC`;
}
