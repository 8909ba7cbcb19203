import { HftError } from '../errors.ts';
import { viewFleet } from '../views/fleet.ts';
import type { Terminal } from '../views/terminal.ts';
import { type Answer, askFleet } from './fleet-ask.ts';
import type { NamedHost } from './named-host.ts';
import { askToApply } from './question.ts';
import { chooseSshHosts, type SshHost, type SshHostFlags } from './ssh-hosts.ts';

/** What is done to hosts over SSH: planned for all, shown, asked once, done. */
export interface SshWork<Plan, Json> {
  /** Changes nothing. */
  plan(host: SshHost): Promise<Plan>;
  isNothing(plan: Plan): boolean;
  view(plan: Plan, terminal: Terminal): string;
  brief(plan: Plan): string;
  question(hosts: readonly string[]): string;
  act(host: SshHost, plan: Plan): Promise<Answer<Json>>;
  /** Of a host that is left as it is. */
  leave(plan: Plan, why: 'dry-run' | 'declined'): Answer<Json>;
}

export interface SshDialogue {
  readonly terminal: Terminal;
  readonly report: (text: string) => void;
}

/** What is to be done with each host, once it is agreed on. Throws HftError of the only host; of many each has its own. */
export async function agreeOnWork<Plan, Json>(
  flags: SshHostFlags,
  work: SshWork<Plan, Json>,
  { terminal, report }: SshDialogue,
): Promise<(host: NamedHost | undefined) => Promise<Answer<Json>>> {
  const { chosen, hosts } = await chooseSshHosts(flags);
  const plans = new Map<string, Plan>();
  const failures = new Map<string, unknown>();
  const planOne = async (host: SshHost): Promise<Answer<null>> => {
    try {
      const plan = await work.plan(host);
      plans.set(host.name, plan);
      const text = (to: Terminal) => work.view(plan, to);
      return { json: null, text, brief: work.brief(plan), hostname: host.name, exitCode: work.isNothing(plan) ? 0 : 1 };
    } catch (error) {
      failures.set(host.name, error);
      throw error;
    }
  };
  const find = (name: string) => hosts.find((host) => host.name === name) as SshHost;
  const shown =
    chosen.is === 'one'
      ? (await planOne(hosts[0] as SshHost)).text(terminal)
      : viewFleet(await askFleet(chosen, ({ name }) => planOne(find(name)), report), terminal);
  const changed = [...plans].filter(([, plan]) => !work.isNothing(plan)).map(([name]) => name);
  const why = await whyLeft(flags, changed, () => {
    report(shown);
    return askToApply(`\n${work.question(changed)}`);
  });
  return async (named) => {
    const host = find(named?.name ?? '');
    const plan = plans.get(host.name);
    if (plan === undefined)
      throw failures.get(host.name) ?? new HftError(`${host.name}: it was not planned.`, { exitCode: 3 });
    return why !== undefined && !work.isNothing(plan) ? work.leave(plan, why) : work.act(host, plan);
  };
}

async function whyLeft(
  flags: SshHostFlags,
  changed: readonly string[],
  ask: () => Promise<boolean>,
): Promise<'dry-run' | 'declined' | undefined> {
  if (flags['dry-run']) return 'dry-run';
  if (flags.yes || changed.length === 0) return undefined;
  return (await ask()) ? undefined : 'declined';
}
