/** The kernels of the story: Debian 12's 6.1, and the same with PREEMPT_RT. */
export const kernels = ['stock', 'rt'] as const;
/** Only when it is named: PREEMPT_RT 6.12 of bookworm-backports, whose osnoise can do without its own loop (backports-rt.ts). */
export const optionalKernels = ['backports-rt'] as const;

export type Kernel = (typeof kernels)[number] | (typeof optionalKernels)[number];
export const allKernels: readonly Kernel[] = [...kernels, ...optionalKernels];

export function isKernel(text: string): text is Kernel {
  return (allKernels as readonly string[]).includes(text);
}
