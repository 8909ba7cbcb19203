import type { AuditCheck } from '../agent/audit/check-audit.ts';
import type { ChainRecord } from '../chain/chain.ts';
import { indented, paint, type Terminal } from './terminal.ts';

/** The stable JSON of `hft agent audit verify`: what is not there is null. */
export function auditCheckJson({ broken, ...check }: AuditCheck) {
  return { ...check, broken: broken ?? null };
}

export function viewAuditCheck(check: AuditCheck, terminal: Terminal): string {
  const { folder, files, lines, end, torn, broken, heads, unended } = check;
  if (files === 0 && broken === undefined) return `There is no audit log in ${folder}: \`hft agent run\` writes one.`;
  const rest = [
    `  ${folder}: ${count(files, 'file')}, ${count(lines, 'line')}`,
    ...torn.map((name) =>
      indented(`${name} ends in a line that was cut off (a power cut, a kill); what is before it counts.`, terminal, 2),
    ),
    ...(unended.length === 0
      ? []
      : [
          indented(
            `${count(unended.length, 'request')} begun and not ended, since the agent was ended: ${unended.join(', ')}`,
            terminal,
            2,
          ),
        ]),
  ];
  if (broken !== undefined) {
    const { file, line, what, expected, got } = broken;
    const where = `${paint(terminal, 'red', 'broken')}  ${folder}/${file}:${line}`;
    return [where, indented(what, terminal, 2), `  expected  ${expected}`, `  got       ${got}`, ...rest].join('\n');
  }
  const known = heads.map(({ from }) => from).join(' and ') || 'no head that was kept';
  const last = `The last line is ${end.seq}:${end.hash}. Compared with ${known}. Only a head that is kept on another machine (--head) shows that nobody who is root here wrote the log anew.`;
  return [paint(terminal, 'green', 'whole'), ...rest, indented(last, terminal, 2)].join('\n');
}

/** A line each: when, what, who, and what came of it. */
export function viewAuditLines(lines: readonly ChainRecord[], terminal: Terminal): string {
  if (lines.length === 0) return 'Nothing is in the audit log.';
  return lines.map((line) => viewLine(line, terminal)).join('\n');
}

function viewLine(record: ChainRecord, terminal: Terminal): string {
  const { time, kind } = record;
  const said = [
    kind,
    nameOf(record.by),
    ...['ask', 'what', 'setting', 'outcome', 'reason'].map((key) => wordOf(record[key])),
    ...(Array.isArray(record.runs) ? record.runs.map(String) : []),
  ].filter((word, index) => word !== '' && (index === 0 || word !== kind));
  const color = kind === 'refused' || kind === 'drift' ? 'yellow' : undefined;
  const [first = '', ...more] = said.map((word) => word.replace(/\p{Cc}/gu, '?'));
  return `${time}  ${color === undefined ? first : paint(terminal, color, first)}  ${more.join('  ')}`.trimEnd();
}

function nameOf(by: unknown): string {
  if (typeof by === 'string') return by;
  const { name, role } = (by ?? {}) as { name?: unknown; role?: unknown };
  return typeof name === 'string' ? `${name} (${String(role)})` : '';
}

function wordOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
