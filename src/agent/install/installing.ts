import { HftError } from '../../errors.ts';
import { streamOfFile, sumOfFile } from '../../host/stream-file.ts';
import { plainText } from '../client/plain-text.ts';
import { type InstallPlan, type InstallStep, type InstallWish, planInstall } from './install-plan.ts';
import { scriptOf } from './install-scripts.ts';
import type { RootShell } from './root-shell.ts';
import { type HostSeen, LOOK, parseSeen } from './seen.ts';

/** Changes nothing. Throws HftError when the host does not say what it is. */
export async function lookAt(host: string, shell: RootShell, { withStatus = false } = {}): Promise<HostSeen> {
  const { exitCode, stdout, stderr } = await shell(`${withStatus ? 'WITH_STATUS=yes' : ''}${LOOK}`);
  if (exitCode === 0) return parseSeen(stdout);
  throw new HftError(`${host}: its shell does not look: ${endOf(stderr) || `exit ${exitCode}`}.`, {
    exitCode: 3,
    next: ['Nothing was done there. The login shell has to take `sh -c`.'],
  });
}

/** Does what was planned, in order, and looks again. What was done before a step that fails stays: the same again goes on from there. */
export async function install(
  shell: RootShell,
  plan: InstallPlan,
  wish: InstallWish,
  report: (step: InstallStep) => void,
) {
  for (const step of plan.steps) {
    if (step.step === 'pin') continue;
    report(step);
    await takeStep(shell, step, plan, wish);
  }
  const seen = await lookAt(wish.host, shell);
  const left = planInstall(wish, seen).steps.find(({ step }) => step !== 'pin');
  if (left === undefined && seen.publicKey !== undefined) return { publicKey: seen.publicKey };
  throw failed(wish.host, left?.step ?? 'key', 'it was done, and the host is not as wanted');
}

async function takeStep(shell: RootShell, step: InstallStep, plan: InstallPlan, wish: InstallWish): Promise<void> {
  const { path } = plan.package;
  const isPackage = step.step === 'package';
  const script = scriptOf(step, plan, wish, isPackage ? await sumOfFile(path) : '');
  const { exitCode, stderr } = await shell(script, isPackage ? streamOfFile(path) : undefined);
  if (exitCode !== 0) throw failed(wish.host, step.step, endOf(stderr) || `its shell ended with ${exitCode}`);
}

function failed(host: string, step: string, reason: string): HftError {
  return new HftError(`${host}: step ${step}: ${reason}.`, {
    exitCode: 3,
    next: ['What was done before stays. The same command goes on from there; `hft agent uninstall` takes all back.'],
  });
}

/** The last thing that was said that sounds like a reason, else the last; hft's next steps, which are indented, are none. */
export function endOf(text: string): string {
  const lines = text.split('\n').filter((line) => /^\S/.test(line));
  const said =
    lines.findLast((line) => /error|cannot|can't|denied|no space|not |failed/i.test(line)) ?? lines.at(-1) ?? '';
  return plainText(said.trim().replace(/[.\s]+$/, ''));
}
