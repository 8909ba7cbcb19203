import { HftError } from '../errors.ts';
import type { ProcessIdentity } from './process-identity.ts';

/** What the lock file says, one line of JSON. `id` is of one taking of the lock and never comes again. */
export interface LockRecord extends ProcessIdentity {
  readonly id: string;
  readonly purpose: string;
  /** ISO 8601, for people. */
  readonly since: string;
}

const TEXT_FIELDS = ['id', 'startTicks', 'bootId', 'pidNamespace', 'purpose', 'since'] as const;

export function formatLockRecord(record: LockRecord): string {
  return `${JSON.stringify(record)}\n`;
}

/** undefined when the text is no lock record (an empty file after a power cut, another program's file). */
export function parseLockRecord(text: string): LockRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const fields = value as Record<string, unknown>;
  if (!Number.isInteger(fields.pid) || (fields.pid as number) <= 0) return undefined;
  if (TEXT_FIELDS.some((field) => typeof fields[field] !== 'string')) return undefined;
  // The id becomes part of a file name.
  if (!/^[0-9a-f-]+$/.test(fields.id as string)) return undefined;
  return fields as unknown as LockRecord;
}

/** Another process changes this machine now. Exit 3: nothing was done. */
export class LockHeld extends HftError {
  readonly holder: LockRecord;

  constructor(path: string, holder: LockRecord, liveness: 'alive' | 'elsewhere') {
    const who = `process ${holder.pid} (${holder.purpose}, since ${holder.since})`;
    const next =
      liveness === 'alive'
        ? `Wait until it ends, or end it with \`kill ${holder.pid}\`; its unfinished work is undone by the next command.`
        : `It runs in another PID namespace (a container). When you know that it has ended, remove ${path}.`;
    super(`${path}: held by ${who}; only one hft may change a machine at a time.`, { exitCode: 3, next: [next] });
    this.holder = holder;
  }
}

/** The lock file is there and says nothing that hft writes. Exit 3: nothing was done. */
export class LockUnreadable extends HftError {
  constructor(path: string) {
    super(`${path}: expected one line of JSON that names the holder, got something else.`, {
      exitCode: 3,
      next: [`Make sure that no other hft runs (\`pgrep -a hft\`), then remove ${path}.`],
    });
  }
}
