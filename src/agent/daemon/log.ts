/** How urgent a line is: the words and numbers of syslog(3). */
const PRIORITIES = { error: 3, warning: 4, info: 6, debug: 7 } as const;

export type LogLevel = keyof typeof PRIORITIES;

/** Everything that the agent logs, as docs/observability.md has it. */
export const EVENTS = {
  listening: 'info',
  ending: 'info',
  reloaded: 'info',
  'not-reloaded': 'error',
  request: 'info',
  refused: 'warning',
  malformed: 'warning',
  unknownKeys: 'warning',
  limited: 'warning',
  mistake: 'warning',
  'no-key': 'warning',
  'nobody-authorised': 'error',
  'metrics-listening': 'info',
  'reading-failed': 'warning',
  drift: 'warning',
  'drift-ended': 'info',
  'drift-failed': 'error',
  'drift-not-judged': 'warning',
  healed: 'info',
  'not-healed': 'warning',
  audited: 'info',
  'not-audited': 'error',
  'audit-cut': 'error',
  bug: 'error',
} as const satisfies Readonly<Record<string, LogLevel>>;

export type AgentEvent = keyof typeof EVENTS;
export type Log = (event: AgentEvent, facts: Readonly<Record<string, unknown>>) => void;

/** journal: each line begins with its priority, as sd-daemon(3) has it, which journald takes off again. */
export type LogFormat = 'json' | 'journal';

export interface LogSettings {
  readonly format: LogFormat;
  /** Nothing less urgent is logged. */
  readonly level: LogLevel;
  readonly now: () => Date;
  readonly write: (line: string) => void;
}

/** One JSON object a line: time, level, event, and what belongs to the event. */
export function openLog({ format, level, now, write }: LogSettings): Log {
  return (event, facts) => {
    const own = EVENTS[event];
    if (PRIORITIES[own] > PRIORITIES[level]) return;
    const line = JSON.stringify({ time: now().toISOString(), level: own, event, ...facts });
    write(`${format === 'journal' ? `<${PRIORITIES[own]}>` : ''}${line}\n`);
  };
}

/** `DEVICE:INODE` of where this process writes to. */
export interface OutputIdentity {
  readonly dev: number | bigint;
  readonly ino: number | bigint;
}

/** Whether standard output is a stream of the journal, sd_journal_stream_fd(3): systemd names it in JOURNAL_STREAM. */
export function isJournal(journalStream: string | undefined, { dev, ino }: OutputIdentity): boolean {
  return journalStream === `${dev}:${ino}`;
}
