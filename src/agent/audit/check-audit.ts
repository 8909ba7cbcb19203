import type { ChainBreak, ChainCheck, ChainEnd, ChainRecord, SeeLine } from '../../chain/chain.ts';
import { followFiles } from '../../chain/chain-log.ts';
import type { StateDirectory } from '../../host/state-directory.ts';
import { AUDIT_PLACE, readHead } from './audit-log.ts';

/** Where a head is that the log was compared with. */
export interface KnownHead extends ChainEnd {
  /** `agent/audit-head.json`, `--head` */
  readonly from: string;
}

/** What the audit log of this host proves. */
export interface AuditCheck {
  readonly folder: string;
  readonly files: number;
  readonly lines: number;
  readonly end: ChainEnd;
  readonly torn: readonly string[];
  /** undefined: nothing is missing and nothing was changed, as far as the heads say where it has to end. */
  readonly broken: ChainBreak | undefined;
  /** Heads that the log has. */
  readonly heads: readonly KnownHead[];
  /** Requests that were begun and of which nothing says how they ended: the agent was ended in the middle. */
  readonly unended: readonly string[];
}

/** Follows the log from its first line to its last, and looks for the lines that are known to be there. */
export async function checkAudit(state: StateDirectory, known: ChainEnd | undefined): Promise<AuditCheck> {
  const own = await readHead(state);
  const heads: KnownHead[] = [
    ...(own ? [{ ...own, from: 'the head file' }] : []),
    ...(known ? [{ ...known, from: '--head' }] : []),
  ];
  const open = new Set<string>();
  let last = { file: AUDIT_PLACE.folder, line: 0 };
  const see: SeeLine = (record, at) => {
    last = at;
    if (record.kind === 'asked') open.add(String(record.id));
    if (record.kind === 'answered') open.delete(String(record.id));
    return findToldCut(record, at) ?? findOtherLine(heads, at);
  };
  const check = await followFiles(state, AUDIT_PLACE, see);
  return {
    folder: `${state.path}/${AUDIT_PLACE.folder}`,
    ...check,
    broken: check.broken ?? findCutTail(heads, check, last),
    heads,
    unended: [...open],
  };
}

/** The agent found the end of the log missing when it started, and wrote that down. */
function findToldCut({ kind, cut }: ChainRecord, at: { file: string; line: number }): ChainBreak | undefined {
  if (kind !== 'start' || cut === undefined) return undefined;
  const { expected, got } = cut as { expected: ChainEnd; got: ChainEnd };
  return {
    ...placeOf(at),
    what: 'lines before this start of the agent were cut off',
    expected: `line ${expected.seq} (${expected.hash}) before it`,
    got: `line ${got.seq} (${got.hash})`,
  };
}

function findOtherLine(
  heads: readonly KnownHead[],
  { end, ...at }: { end: ChainEnd; file: string; line: number },
): ChainBreak | undefined {
  const other = heads.find(({ seq, hash }) => seq === end.seq && hash !== end.hash);
  if (other === undefined) return undefined;
  const what = `line ${end.seq} is another one than ${other.from} says`;
  return { ...placeOf(at), what, expected: other.hash, got: end.hash };
}

function findCutTail(
  heads: readonly KnownHead[],
  { end }: ChainCheck,
  last: { file: string; line: number },
): ChainBreak | undefined {
  const cut = heads.find(({ seq }) => seq > end.seq);
  if (cut === undefined) return undefined;
  const what = `lines after it were cut off: ${cut.from} knows more`;
  return {
    ...placeOf(last),
    what,
    expected: `line ${cut.seq} (${cut.hash}) to be there`,
    got: `line ${end.seq} as the last one`,
  };
}

function placeOf({ file, line }: { readonly file: string; readonly line: number }) {
  return { file, line };
}

/** The last lines of the log, oldest first, up to where its chain is broken. */
export async function lastLines(state: StateDirectory, count: number): Promise<readonly ChainRecord[]> {
  const lines: ChainRecord[] = [];
  await followFiles(state, AUDIT_PLACE, (record) => {
    lines.push(record);
    if (lines.length > count) lines.shift();
    return undefined;
  });
  return lines;
}
