import { HostError } from '../errors.ts';
import type { Host, HostReader } from '../host/host.ts';
import { unreadable } from './file.ts';
import type { TunableKind } from './kind.ts';
import type { Reading, ThreadSchedulingTunable } from './tunable.ts';

/** sched(7) */
const POLICIES: Readonly<Record<number, string>> = {
  0: 'other',
  1: 'fifo',
  2: 'rr',
  3: 'batch',
  5: 'idle',
  6: 'deadline',
};
const RESET = 'reset-on-fork';

/**
 * Policy and priority of a running thread: `other nice 0`, `batch nice 5`, `idle`, `fifo 48 reset-on-fork`, `deadline 1000/5000/10000`.
 * From proc_pid_stat(5), and for realtime threads, of which that does not tell all, from chrt(1).
 */
export const threadSchedulingKind: TunableKind<ThreadSchedulingTunable> = {
  persistent: false,
  async read(reader, tunable) {
    const path = `/proc/${tunable.pid}/stat`;
    try {
      const fields = fieldsOf(await reader.readText(path));
      const isSame = fields !== undefined && Number(fields[22 - 3]) === tunable.startTicks;
      if (!isSame) return { status: 'missing', evidence: `${path}: the thread has ended` };
      return await describe(reader, tunable.pid, fields);
    } catch (error) {
      if (error instanceof HostError && error.code === 'ESRCH')
        return { status: 'missing', evidence: `${path}: the thread has ended` };
      return unreadable(error, path);
    }
  },
  canonical: (_tunable, value) => value.trim().replaceAll(/\s+/g, ' '),
  async write(host, writes) {
    for (const { tunable, value } of writes) {
      if (value === null) throw new HostError('schedule', `thread ${tunable.pid}`, 'EINVAL');
      const fields = fieldsOf(await host.readText(`/proc/${tunable.pid}/stat`));
      if (Number(fields?.[22 - 3]) !== tunable.startTicks)
        throw new HostError('schedule', `thread ${tunable.pid}`, 'ESRCH');
      for (const argv of commandsFor(tunable.pid, value)) await run(host, argv);
    }
  },
};

/** Fields from the third on; the name before them can hold any character. */
function fieldsOf(text: string | undefined): readonly string[] | undefined {
  return text
    ?.slice(text.lastIndexOf(')') + 2)
    .trim()
    .split(' ');
}

async function describe(reader: HostReader, pid: number, fields: readonly string[]): Promise<Reading> {
  const [nice, priority, number] = [fields[19 - 3], fields[40 - 3], Number(fields[41 - 3])];
  const policy = POLICIES[number] ?? `policy-${number}`;
  const evidence = `/proc/${pid}/stat: ${policy}, priority ${priority}, nice ${nice}`;
  if (policy === 'other' || policy === 'batch') return { status: 'value', value: `${policy} nice ${nice}`, evidence };
  if (!['fifo', 'rr', 'deadline'].includes(policy)) return { status: 'value', value: policy, evidence };
  const asked = await reader.query(['chrt', '-p', String(pid)]);
  if (!asked.found) return { status: 'unreadable', code: 'ENOENT', evidence: 'chrt is not installed' };
  const value = policy === 'deadline' ? `deadline ${deadlineOf(asked.stdout)}` : `${policy} ${priority}`;
  const resets = asked.stdout.includes('SCHED_RESET_ON_FORK') ? ` ${RESET}` : '';
  return { status: 'value', value: `${value}${resets}`, evidence: `${evidence}${resets}` };
}

function deadlineOf(text: string): string {
  return /runtime\/deadline\/period parameters: (?<times>\d+\/\d+\/\d+)/.exec(text)?.groups?.times ?? 'unknown';
}

/** chrt leaves the nice value to renice. */
function commandsFor(pid: number, value: string): readonly (readonly string[])[] {
  const [policy = '', ...rest] = value.split(' ');
  const resets = rest.at(-1) === RESET ? ['--reset-on-fork'] : [];
  if (policy === 'other' || policy === 'batch')
    return [
      ['chrt', `--${policy}`, '--pid', '0', String(pid)],
      ['renice', '-n', rest[1] ?? '0', '-p', String(pid)],
    ];
  if (policy === 'idle') return [['chrt', '--idle', '--pid', '0', String(pid)]];
  if (policy !== 'deadline') return [['chrt', ...resets, `--${policy}`, '--pid', rest[0] ?? '', String(pid)]];
  const [runtime = '', deadline = '', period = ''] = rest[0]?.split('/') ?? [];
  const times = ['--sched-runtime', runtime, '--sched-deadline', deadline, '--sched-period', period];
  return [['chrt', ...resets, '--deadline', ...times, '--pid', '0', String(pid)]];
}

async function run(host: Host, argv: readonly string[]): Promise<void> {
  const done = await host.execute(argv);
  if (!done.found) throw new HostError('run', argv[0] as string, 'ENOENT');
  if (done.exitCode !== 0) throw new HostError('schedule', `thread ${argv.at(-1)}`, 'EPERM', { cause: done });
}
