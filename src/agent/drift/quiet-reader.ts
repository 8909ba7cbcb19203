import { HostError } from '../../errors.ts';
import type { HostReader } from '../../host/host.ts';

/**
 * Files for which the kernel asks the CPU that they are about (an MSR is read there, by an interrupt): a look that nobody asked for
 * must not disturb an isolated CPU. drivers/cpufreq/intel_pstate.c, arch/x86/kernel/cpu/intel_epb.c, cpufreq.c
 */
const ASKS_A_CPU =
  /\/(?:energy_performance_preference|energy_perf_bias|scaling_cur_freq|cpuinfo_cur_freq|cpuinfo_avg_freq)$/;

/** The same host without what wakes up other CPUs: such a setting is not read, and `hft verify settings` looks at it. */
export function quietReader(reader: HostReader): HostReader {
  return {
    label: reader.label,
    list: (path) => reader.list(path),
    readLink: (path) => reader.readLink(path),
    query: (argv) => reader.query(argv),
    async readText(path) {
      if (ASKS_A_CPU.test(path)) throw new HostError('read', path, 'EAGAIN');
      return reader.readText(path);
    },
  };
}

/** The same host without commands: what needs one is not for a look that comes often. */
export function withoutCommands(reader: HostReader): HostReader {
  return {
    ...quietReader(reader),
    query: (argv) => Promise.reject(new HostError('run', argv.join(' '), 'EAGAIN')),
  };
}
