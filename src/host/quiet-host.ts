import { HostError } from '../errors.ts';
import { LocalHost } from './local.ts';
import { NOT_READ } from './not-read.ts';

/**
 * What the kernel answers by a call on the CPU that it is asked about (rdmsrl_on_cpu in intel_pstate, amd_pstate and the bias driver;
 * aperfmperf for frequencies; the msr driver).
 */
const INTERRUPTING =
  /\/(energy_performance_preference|energy_perf_bias|scaling_cur_freq|cpuinfo_cur_freq)$|^\/dev\/cpu\/\d+\/msr$/;

/** This machine, of which nothing is read that interrupts a CPU. For whoever reads again and again while others trade. */
export class QuietHost extends LocalHost {
  #cpuinfo: Promise<string | undefined> | undefined;

  /** Throws HostError with the code NOT_READ for what would interrupt. */
  override async readText(path: string): Promise<string | undefined> {
    if (INTERRUPTING.test(path)) throw new HostError('read', path, NOT_READ);
    if (path !== '/proc/cpuinfo') return super.readText(path);
    // Linux 4.13 to 5.17 asks each CPU for its frequency; nothing else in it changes.
    this.#cpuinfo ??= super.readText(path);
    return this.#cpuinfo;
  }
}
