import { HostError } from '../errors.ts';
import type { Host, HostReader } from '../host/host.ts';
import { isSubset, parseCpulist, printCpulist } from '../topology/cpulist.ts';
import { unreadable } from './file.ts';
import type { TunableKind } from './kind.ts';
import type { ThreadAffinityTunable } from './tunable.ts';

/** The allowed CPUs of a running thread, through taskset(1). proc(5): /proc/PID/status Cpus_allowed_list. */
export const threadAffinityKind: TunableKind<ThreadAffinityTunable> = {
  persistent: false,
  async read(reader, tunable) {
    const path = `/proc/${tunable.pid}/status`;
    try {
      if (!(await isSameThread(reader, tunable)))
        return { status: 'missing', evidence: `${path}: the thread has ended` };
      const allowed = /^Cpus_allowed_list:\s*(\S*)$/m.exec((await reader.readText(path)) ?? '');
      if (!allowed) return { status: 'missing', evidence: `${path}: the thread has ended` };
      return {
        status: 'value',
        value: printCpulist(parseCpulist(allowed[1] as string)),
        evidence: `${path}: ${allowed[0]}`,
      };
    } catch (error) {
      return unreadable(error, path);
    }
  },
  canonical: (_tunable, value) => printCpulist(parseCpulist(value)),
  asIf: ({ pid }, value) => [
    {
      path: `/proc/${pid}/status`,
      edit: (text) => text.replace(/^(Cpus_allowed_list:\s*)\S*$/m, (line, label) => (value ? label + value : line)),
    },
  ],
  // A partition that is made or taken away lets every kernel thread run wherever there is a CPU; nobody asks for that.
  disturbedBy: {
    kind: 'cpuset-partition',
    async isReset(reader, value) {
      const online = parseCpulist((await reader.readText('/sys/devices/system/cpu/online')) ?? '');
      return online.length > 0 && isSubset(online, parseCpulist(value));
    },
  },
  async write(host, writes) {
    for (const { tunable, value } of writes) {
      if (value === null) throw new HostError('set affinity of', `${tunable.pid}`, 'EINVAL');
      if (!(await isSameThread(host, tunable))) throw new HostError('set affinity of', `${tunable.pid}`, 'ESRCH');
      await setAffinity(host, tunable.pid, value);
    }
  },
};

/** sched_setaffinity(2) through taskset(1). Throws HostError: EINVAL when none of the CPUs can be had. */
export async function setAffinity(host: Host, pid: number, cpus: string): Promise<void> {
  const done = await host.execute(['taskset', '-p', '-c', cpus, `${pid}`]);
  if (!done.found) throw new HostError('run', 'taskset', 'ENOENT');
  if (done.exitCode !== 0) throw new HostError('set affinity of', `thread ${pid}`, 'EINVAL');
}

/** A pid that was reused is another thread: field 22 of /proc/PID/stat must be the start time seen before. */
async function isSameThread(reader: HostReader, { pid, startTicks }: ThreadAffinityTunable): Promise<boolean> {
  const stat = await reader.readText(`/proc/${pid}/stat`);
  const afterName = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  return afterName !== undefined && Number(afterName[19]) === startTicks;
}
