/** The kernels a guest can boot: Debian 12's 6.1, and the same with PREEMPT_RT. */
export const kernels = ['stock', 'rt'] as const;
export type Kernel = (typeof kernels)[number];

export function isKernel(text: string): text is Kernel {
  return (kernels as readonly string[]).includes(text);
}
