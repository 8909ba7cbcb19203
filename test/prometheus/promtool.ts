import { spawnSync } from 'node:child_process';

const NAME = 'promtool';
export const hasPromtool = spawnSync(NAME, ['--version']).status === 0;

if (!hasPromtool)
  console.log('promtool is not installed here: rules and metrics are not checked by it (apt-get install prometheus).');

export interface Checked {
  readonly status: number | null;
  readonly said: string;
}

export function promtool(args: readonly string[], input?: string): Checked {
  const { status, stdout, stderr } = spawnSync(NAME, args, { input, encoding: 'utf8' });
  return { status, said: `${stdout}${stderr}` };
}
