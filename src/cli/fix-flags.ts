import { Flags } from '@oclif/core';

/** Of `hft verify latency`. */
export const fixFlags = {
  causes: Flags.boolean({
    allowNo: true,
    default: true,
    summary: 'Record what takes the CPUs while jitter is measured, and name it',
  }),
  fix: Flags.boolean({
    summary: 'Try the settings that would remove what was found, keep them when it is better with them',
  }),
  yes: Flags.boolean({ char: 'y', summary: 'Try them without asking', dependsOn: ['fix'] }),
};
