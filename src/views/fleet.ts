import type { Answer, FleetAnswers } from '../cli/fleet-ask.ts';
import { type HostAnswer, toCohorts } from '../fleet/answers.ts';
import { indented, paint, type Style, type Terminal, wrap } from './terminal.ts';

/** The stable JSON of a command that asked many hosts: `result` is what it prints of one host alone. */
export function fleetJson<Json>({ answers, exitCode }: FleetAnswers<Json>) {
  return {
    hosts: answers.map(({ host, result, error, exitCode: own }) => ({
      host,
      exitCode: own,
      result: result?.json ?? null,
      error: error ?? null,
    })),
    cohorts: toCohorts(answers).map(({ brief, exitCode: own, hosts }) => ({ outcome: brief, exitCode: own, hosts })),
    exitCode,
  };
}

/** Of more hosts only what came of them is shown. */
const MOST_SHOWN_WHOLE = 20;
const STYLES: Readonly<Record<number, Style>> = { 0: 'green', 1: 'yellow', 5: 'yellow', 6: 'yellow' };

/** What hosts answered, those with the same answer together; then how many came to what. */
export function viewFleet<Json>({ answers }: FleetAnswers<Json>, terminal: Terminal): string {
  const isShort = answers.length <= MOST_SHOWN_WHOLE;
  const blocks = isShort ? viewAnswers(answers, terminal) : [];
  return [...blocks, viewCohorts(answers, terminal)].join('\n\n');
}

function viewAnswers<Json>(answers: readonly HostAnswer<Answer<Json>>[], terminal: Terminal): readonly string[] {
  const blocks = new Map<string, { readonly hosts: string[]; readonly text: string }>();
  for (const { host, result } of answers) {
    if (result === undefined) continue;
    const text = result.text(terminal).trimEnd();
    const key = result.hostname === undefined ? text : text.replaceAll(result.hostname, '');
    const block = blocks.get(key) ?? { hosts: [], text };
    block.hosts.push(host);
    blocks.set(key, block);
  }
  return [...blocks.values()].map(
    ({ hosts, text }) => `${paint(terminal, 'bold', wrap(`== ${hosts.join(', ')}`, terminal.columns, 3))}\n${text}`,
  );
}

/** A line for each cohort: how many, what, and who. */
export function viewCohorts(
  answers: readonly Pick<HostAnswer<unknown>, 'host' | 'brief' | 'exitCode'>[],
  terminal: Terminal,
): string {
  const lines = toCohorts(answers).map(({ brief, exitCode, hosts }) => {
    const count = `${hosts.length} of ${answers.length}`;
    const outcome = paint(terminal, STYLES[exitCode] ?? 'red', brief);
    return `${count}  ${outcome}\n${indented(nameHosts(hosts), terminal, 4)}`;
  });
  return lines.join('\n');
}

const MOST_NAMED = 12;

function nameHosts(hosts: readonly string[]): string {
  const shown = hosts.slice(0, MOST_NAMED).join(', ');
  return hosts.length <= MOST_NAMED ? shown : `${shown} and ${hosts.length - MOST_NAMED} more (--json has all)`;
}
