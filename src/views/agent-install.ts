import type { InstallPlan } from '../agent/install/install-plan.ts';
import type { Installed } from '../cli/agent-install.ts';
import type { HostUninstallPlan, Uninstalled } from '../cli/agent-uninstall.ts';
import { statusJson, viewStatus } from './status.ts';
import { indented, paint, type Terminal } from './terminal.ts';

/** The stable JSON of `hft agent install`. */
export function installJson({ plan, outcome, publicKey, status }: Installed) {
  const { host, steps, role, listen } = plan;
  return {
    host,
    outcome,
    changed: outcome === 'installed',
    version: plan.package.version,
    steps,
    role,
    listen,
    publicKey: publicKey ?? null,
    status: status === undefined ? null : statusJson(status),
  };
}

export function viewInstallPlan({ host, steps, ...plan }: InstallPlan, terminal: Terminal): string {
  const name = paint(terminal, 'bold', host);
  if (steps.length === 0) return `${name}  hft ${plan.package.version} is installed, its agent runs on ${plan.listen}`;
  const lines = steps.map(({ step, from, to }) => {
    const change = from === null ? to : `${from} → ${to}`;
    return `  ${paint(terminal, 'yellow', step.padEnd(WIDTH))}${indented(change, terminal, 2 + WIDTH).trimStart()}`;
  });
  return [`${name}  ${count(steps.length, 'step')}`, ...lines].join('\n');
}

const WIDTH = 12;

export function viewInstalled({ plan, outcome, publicKey, status }: Installed, terminal: Terminal): string {
  if (outcome === 'dry-run' || outcome === 'declined') return `${viewInstallPlan(plan, terminal)}\n\nNothing was done.`;
  const lines = [viewInstallPlan({ ...plan, steps: [] }, terminal), `  key       ${publicKey}`];
  if (outcome === 'as-wanted') lines.push('  Nothing had to be done.');
  return [...lines, ...(status === undefined ? [] : [viewStatus(status, terminal)])].join('\n');
}

export function briefInstall({ steps, package: { version } }: InstallPlan): string {
  return steps.length === 0 ? `hft ${version} is installed` : `${steps.map(({ step }) => step).join(', ')} to be done`;
}

/** The stable JSON of `hft agent uninstall`. */
export function uninstallJson({ plan, outcome, left }: Uninstalled) {
  const { host, removes, keeps, isPinned } = plan;
  return { host, outcome, changed: outcome === 'uninstalled', removes, keeps, unpins: isPinned, left };
}

export function viewUninstallPlan({ host, removes, keeps, isPinned }: HostUninstallPlan, terminal: Terminal): string {
  const name = paint(terminal, 'bold', host);
  const all = [...removes, ...(isPinned ? ['its key in known_agents here'] : [])];
  if (all.length === 0) return `${name}  nothing of hft is there`;
  const line = (verb: string, what: string) => `  ${verb.padEnd(9)}${indented(what, terminal, 11).trimStart()}`;
  return [
    name,
    ...all.map((what) => line(paint(terminal, 'yellow', 'removes'), ` ${what}`)),
    ...keeps.map((what) => line('keeps', what)),
  ].join('\n');
}

export function viewUninstalled({ plan, outcome, left }: Uninstalled, terminal: Terminal): string {
  if (outcome === 'dry-run' || outcome === 'declined')
    return `${viewUninstallPlan(plan, terminal)}\n\nNothing was done.`;
  const name = paint(terminal, 'bold', plan.host);
  if (outcome === 'not-there') return `${name}  nothing of hft was there`;
  const stays = left.length === 0 ? '' : `; left, since not all in it is of the agent's making: ${left.join(', ')}`;
  return `${name}  hft is taken away, and its key forgotten${stays}`;
}

export function briefUninstall({ removes, isPinned }: HostUninstallPlan): string {
  return removes.length === 0 && !isPinned ? 'nothing of hft is there' : 'hft to be taken away';
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
