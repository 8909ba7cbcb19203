/** The kernels a guest can boot: Debian 12's 6.1, the same with PREEMPT_RT, and 6.12 of the backports. */
export const kernels = ['stock', 'rt', 'bpo'] as const;
export type Kernel = (typeof kernels)[number];

export function isKernel(text: string): text is Kernel {
  return (kernels as readonly string[]).includes(text);
}
