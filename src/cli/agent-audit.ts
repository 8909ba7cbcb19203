import { type AuditCheck, checkAudit, lastLines } from '../agent/audit/check-audit.ts';
import { statePath } from '../agent/state-path.ts';
import type { ChainEnd, ChainRecord } from '../chain/chain.ts';
import { HostError, UsageError } from '../errors.ts';
import { LocalStateDirectory } from '../host/local-state.ts';

/** Follows the audit log of this host's agent. `head`: `SEQ:HASH`, as it was kept elsewhere. */
export async function verifyAudit(head: string | undefined): Promise<AuditCheck> {
  const known = head === undefined ? undefined : parseHead(head);
  return unlessForbidden((state) => checkAudit(state, known));
}

export async function showAudit(count: number): Promise<readonly ChainRecord[]> {
  return unlessForbidden((state) => lastLines(state, count));
}

/** 0: whole. 1: broken, or there is none. */
export function auditExitCode({ files, broken }: AuditCheck): 0 | 1 {
  return files > 0 && broken === undefined ? 0 : 1;
}

function parseHead(text: string): ChainEnd {
  const { seq, hash } = /^(?<seq>[1-9]\d{0,14}):(?<hash>[0-9a-f]{64})$/.exec(text)?.groups ?? {};
  if (seq !== undefined && hash !== undefined) return { seq: Number(seq), hash };
  throw new UsageError(
    `--head: expected LINE:HASH with 64 hexadecimal digits, got ${JSON.stringify(text.slice(0, 100))}.`,
    { next: ['`hft agent status --host` prints it, and each line `audited` in the log of the service has it.'] },
  );
}

async function unlessForbidden<T>(act: (state: LocalStateDirectory) => Promise<T>): Promise<T> {
  const state = new LocalStateDirectory(statePath(process.env));
  try {
    return await act(state);
  } catch (error) {
    if (!(error instanceof HostError) || error.code !== 'EACCES') throw error;
    throw new UsageError(`${error.path} cannot be read: only who runs the agent may see its audit log.`, {
      next: ['Run it as root.'],
    });
  }
}
