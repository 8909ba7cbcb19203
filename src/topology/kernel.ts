import type { HostReader } from '../host/host.ts';
import { guessArchitecture } from './cpuinfo.ts';
import { readHypervisor } from './hypervisor.ts';
import { readKernelConfig } from './kernel-config.ts';
import { readCpulist, readNames, readValue } from './kernel-file.ts';
import type { Kernel } from './machine.ts';
import { CPU_ROOT } from './present-cpus.ts';

/** The running kernel: what it is and what is in effect. `cpuinfo` is the text of /proc/cpuinfo. */
export async function readKernel(reader: HostReader, cpuinfo: string): Promise<Kernel> {
  const banner = (await readValue(reader, '/proc/version')) ?? '';
  const uname = parseUname((await readValue(reader, '/proc/hwloc-nofile-info')) ?? '');
  const release = (await readValue(reader, '/proc/sys/kernel/osrelease')) ?? parseRelease(banner) ?? uname.release;
  const config = release === undefined ? undefined : await readKernelConfig(reader, release);
  return {
    release: release ?? 'unknown',
    version: parseVersion(release ?? ''),
    realtime: await readRealtime(reader, `${banner} ${uname.version ?? ''}`, config),
    architecture: (await readArchitecture(reader, cpuinfo)) ?? uname.architecture ?? 'unknown',
    cmdline: (await readValue(reader, '/proc/cmdline')) ?? '',
    isolated: (await readCpulist(reader, `${CPU_ROOT}/isolated`)) ?? [],
    nohzFull: (await readCpulist(reader, `${CPU_ROOT}/nohz_full`)) ?? [],
    config,
    lockdown: parseChosen((await readValue(reader, '/sys/kernel/security/lockdown')) ?? ''),
    clocksource: await readValue(reader, '/sys/devices/system/clocksource/clocksource0/current_clocksource'),
    cgroupVersion: await readCgroupVersion(reader),
    hypervisor: await readHypervisor(reader, cpuinfo),
    bootId: await readValue(reader, '/proc/sys/kernel/random/boot_id'),
  };
}

/** The release in /proc/version: `Linux version 6.1.0-18-rt-amd64 (...) ...`. */
export function parseRelease(banner: string): string | undefined {
  return /^Linux version (\S+)/.exec(banner.trim())?.[1];
}

/** [major, minor] of a release; [0, 0], older than any kernel, when it has no numbers. */
export function parseVersion(release: string): readonly [number, number] {
  const match = /^(\d+)\.(\d+)/.exec(release);
  return match ? [Number(match[1]), Number(match[2])] : [0, 0];
}

/** The word in brackets of `[none] integrity confidentiality`. */
export function parseChosen(text: string): string | undefined {
  return /\[(\S+)\]/.exec(text)?.[1];
}

/** What uname(2) said, kept by hwloc-gather-topology beside the dump as `OSRelease: 6.1.0-13-amd64` and so on. */
export function parseUname(text: string): { release?: string; version?: string; architecture?: string } {
  const findValue = (key: string) => new RegExp(`^${key}:\\s*(.+)$`, 'm').exec(text)?.[1]?.trim();
  const [release, version, architecture] = ['OSRelease', 'OSVersion', 'Architecture'].map(findValue);
  return { ...(release && { release }), ...(version && { version }), ...(architecture && { architecture }) };
}

/** /sys/kernel/realtime is there on PREEMPT_RT only; the banner says `PREEMPT_RT`, before 5.16 `PREEMPT RT`. */
async function readRealtime(reader: HostReader, banner: string, config: Kernel['config']): Promise<boolean> {
  const realtime = await readValue(reader, '/sys/kernel/realtime');
  if (realtime !== undefined) return realtime === '1';
  return /\bPREEMPT[_ ]RT\b/.test(banner) || config?.get('PREEMPT_RT') === 'y';
}

/** /proc/sys/kernel/arch is there since 6.1. */
async function readArchitecture(reader: HostReader, cpuinfo: string): Promise<string | undefined> {
  return (await readValue(reader, '/proc/sys/kernel/arch')) ?? guessArchitecture(cpuinfo);
}

/** 2 when the unified hierarchy alone is mounted on /sys/fs/cgroup, 1 for the old one and for the hybrid of both. */
async function readCgroupVersion(reader: HostReader): Promise<Kernel['cgroupVersion']> {
  if ((await readValue(reader, '/sys/fs/cgroup/cgroup.controllers')) !== undefined) return 2;
  const mounts = (await readValue(reader, '/proc/self/mounts')) ?? (await readValue(reader, '/proc/mounts'));
  const version = parseCgroupVersion(mounts ?? '');
  if (version) return version;
  return (await readNames(reader, '/sys/fs/cgroup/cpuset')).length > 0 ? 1 : undefined;
}

/** From a table of mounts (fstab(5)): hybrid hosts mount the unified hierarchy below the old controllers. */
export function parseCgroupVersion(mounts: string): Kernel['cgroupVersion'] {
  const types = mounts.split('\n').map((line) => line.split(' ')[2]);
  if (types.includes('cgroup')) return 1;
  return types.includes('cgroup2') ? 2 : undefined;
}
