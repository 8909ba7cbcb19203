import { z } from 'zod';
import { CpuExpressionError, parseCpuExpression } from './cpu-expression.ts';

const cpuSet = z
  .union([z.string(), z.number().int().nonnegative()], { error: 'expected a CPU set such as 2-7 or node(0)' })
  .superRefine((value, context) => {
    const problem = findSyntaxProblem(String(value));
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
  })
  .describe(
    'CPU set: numbers (0-3,8) or names (all, none, node(0), package(1), l3(2), nic, nic(eth1)) joined by + - & ,',
  );

const housekeepingCount = z
  .strictObject({
    coresPerNode: z.number().int().min(1).default(1).describe('Cores that stay with the kernel on each NUMA node'),
  })
  .describe('Housekeeping cores by number');

const irqCount = z
  .strictObject({
    cores: z
      .number()
      .int()
      .min(0)
      .describe("Cores on the trading NIC's NUMA node that serve interrupts; 0: housekeeping does"),
  })
  .describe('Interrupt cores by number');

const CORES = 'expected a number of cores, "most", or a share such as 50%';

const isolatedCount = z
  .strictObject({
    cores: z
      .union(
        [z.number(CORES).int(CORES).min(0, CORES), z.literal('most'), z.string().regex(/^(?:100|[1-9]\d?)%$/, CORES)],
        CORES,
      )
      .describe('A number of cores, `most` (all that are left), or a share of the cores such as 50%'),
    near: cpuSet
      .default('nic')
      .describe('Cores are taken on the NUMA nodes of this CPU set first, then on the nearest nodes'),
    within: cpuSet.default('all').describe('Only cores that lie wholly in this CPU set are taken'),
    coreType: z
      .enum(['performance', 'any'])
      .default('performance')
      .describe('On hybrid machines: whether efficiency cores may be isolated too'),
  })
  .describe('Isolated cores by number');

/** The value of a profile's `layout:` key. A role is a CPU set, which replaces an inherited one whole, or a count. */
export const layoutWanted = z
  .strictObject({
    nic: z
      .string()
      .min(1)
      .default('auto')
      .describe('The trading NIC: an interface name, `driver=mlx5_core`, `pci=0000:3b:00.0`, `auto` or `none`'),
    housekeeping: role(housekeepingCount).default({ coresPerNode: 1 }).describe('CPUs for the operating system'),
    irq: role(irqCount).default({ cores: 0 }).describe("CPUs for the trading NIC's interrupts"),
    isolated: role(isolatedCount)
      .default({ cores: 0, near: 'nic', within: 'all', coreType: 'performance' })
      .describe('CPUs for trading threads only'),
    smt: z
      .enum(['keep', 'siblings-offline'])
      .default('keep')
      .describe('siblings-offline: isolated cores run one hardware thread, the others are taken offline'),
  })
  .describe('Which CPUs are for what');

export type LayoutWanted = z.output<typeof layoutWanted>;
export type CpuSetWanted = z.output<typeof cpuSet>;
export type IsolatedCount = z.output<typeof isolatedCount>;

/** The problems of the shape that was meant (a map or a set), not "invalid input" for both. */
function role<Count extends z.ZodType>(count: Count) {
  return z.union([cpuSet, count], {
    error: (issue) => {
      const shape = typeof issue.input === 'object' && issue.input !== null ? count : cpuSet;
      const result = shape.safeParse(issue.input);
      if (result.success) return undefined;
      return result.error.issues.map((problem) => [...problem.path, problem.message].join(': ')).join('; ');
    },
  });
}

function findSyntaxProblem(expression: string): string | undefined {
  try {
    parseCpuExpression(expression);
    return undefined;
  } catch (error) {
    if (!(error instanceof CpuExpressionError)) throw error;
    return [error.message, ...error.next].join('. ');
  }
}
