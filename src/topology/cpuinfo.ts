/** One `processor` of /proc/cpuinfo, its keys as the kernel spells them (`physical id`, `core id`, `CPU part`). */
export interface CpuinfoProcessor {
  readonly cpu: number;
  readonly fields: ReadonlyMap<string, string>;
}

/**
 * Parses /proc/cpuinfo. Every architecture has its own form: x86 and arm64 write `processor : 0` and the fields below
 * it, s390 writes `processor 0: version = FF, ...` on one line. Lines before the first processor (old ARM) belong to
 * none. Text without processors gives none.
 */
export function parseCpuinfo(text: string): readonly CpuinfoProcessor[] {
  const processors: { cpu: number; fields: Map<string, string> }[] = [];
  for (const line of text.split('\n')) {
    const numbered = /^processor\s+(\d+)\s*:/.exec(line);
    const colon = line.indexOf(':');
    if (colon < 0) continue;
    const key = line.slice(0, colon).trim();
    const value = line.slice(colon + 1).trim();
    if (numbered) processors.push({ cpu: Number(numbered[1]), fields: new Map([['processor', value]]) });
    else if (key === 'processor' && /^\d+$/.test(value)) processors.push({ cpu: Number(value), fields: new Map() });
    else processors.at(-1)?.fields.set(key, value);
  }
  return processors;
}

/** `uname -m` as far as /proc/cpuinfo betrays it, for captured machines whose kernel does not say (before 6.1). */
export function guessArchitecture(cpuinfo: string): string | undefined {
  if (/^flags\s*:.*\blm\b/m.test(cpuinfo)) return 'x86_64';
  if (/^vendor_id\s*:\s*IBM\/S390/m.test(cpuinfo)) return 's390x';
  if (/^flags\s*:.*\bfpu\b/m.test(cpuinfo)) return 'i686';
  if (/^CPU architecture\s*:\s*(8|AArch64)/m.test(cpuinfo)) return 'aarch64';
  if (/^CPU architecture\s*:\s*7/m.test(cpuinfo)) return 'armv7l';
  if (/^cpu\s*:\s*(POWER|PPC|Cell)/m.test(cpuinfo)) return 'ppc64';
  if (/^isa\s*:\s*rv64/m.test(cpuinfo)) return 'riscv64';
  if (/^arch\s*:\s*IA-64/m.test(cpuinfo)) return 'ia64';
  if (/^ISA\s*:.*loongarch64/m.test(cpuinfo)) return 'loongarch64';
  if (/^type\s*:\s*sun4/m.test(cpuinfo)) return 'sparc64';
  return undefined;
}

/** Whether the processor says that it is a virtual one (CPUID leaf 1, ECX bit 31). */
export function hasHypervisorFlag(cpuinfo: string): boolean {
  return /^flags\s*:.*\bhypervisor\b/m.test(cpuinfo);
}
