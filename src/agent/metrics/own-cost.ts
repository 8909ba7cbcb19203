import type { HostReader } from '../../host/host.ts';
import type { OwnCost } from '../../metrics/agent-families.ts';

/** USER_HZ of every Linux that Node runs on. */
const TICKS_PER_S = 100;
/** Fields of proc_pid_stat(5) after the name, which may have blanks in it: cutime and cstime are 16 and 17. */
const [CUTIME, CSTIME] = [13, 14];

/** What this process cost since it started. Reads some files about itself. */
export async function readOwnCost(reader: HostReader): Promise<OwnCost> {
  const { userCPUTime, systemCPUTime, voluntaryContextSwitches, involuntaryContextSwitches } = process.resourceUsage();
  const stat = (await reader.readText('/proc/self/stat')) ?? '';
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const count = async (path: string) => (await reader.list(path))?.length ?? 0;
  return {
    userCpuS: userCPUTime / 1e6,
    systemCpuS: systemCPUTime / 1e6,
    childrenCpuS: (Number(fields[CUTIME]) + Number(fields[CSTIME])) / TICKS_PER_S,
    residentBytes: process.memoryUsage.rss(),
    openFds: await count('/proc/self/fd'),
    threads: await count('/proc/self/task'),
    wakeUps: voluntaryContextSwitches,
    preemptions: involuntaryContextSwitches,
    loopBusyS: performance.eventLoopUtilization().active / 1000,
    startedS: performance.timeOrigin / 1000,
  };
}
