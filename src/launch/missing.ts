import type { Problem } from '../profile/problem.ts';
import { findBypassMissing } from './bypass.ts';
import type { LaunchFacts } from './launch-facts.ts';
import type { ProcessWish } from './wishes.ts';

/** What has to be on the host before anything starts, and is not. */
export function findMissing(processes: readonly ProcessWish[], facts: LaunchFacts): Problem[] {
  return processes.flatMap(({ name, wanted, report }) => {
    const { command, directory, user, group } = wanted;
    const [program] = command;
    const state = facts.programs[program];
    const found: (Problem | undefined)[] = [
      state === 'missing'
        ? report(['command', '0'], `there is no program ${program}`, 'Install it, or correct the path.')
        : undefined,
      state === 'not executable'
        ? report(['command', '0'], `${program} is no program that can be run`, `chmod +x ${program}, if it is one.`)
        : undefined,
      directory !== undefined && facts.folders[directory] === false
        ? report(['directory'], `there is no folder ${directory}`, 'Make it, or correct the path.')
        : undefined,
      user !== undefined && facts.users[user] === false
        ? report(['user'], `there is no user ${user}`, `Add the account: useradd --system ${user}.`)
        : undefined,
      group !== undefined && facts.groups[group] === false
        ? report(['group'], `there is no group ${group}`, `Add it: groupadd --system ${group}.`)
        : undefined,
    ];
    const bypass = state === 'there' ? findBypassMissing(wanted, facts.bypass[name], report) : [];
    return [...found.filter((problem) => problem !== undefined), ...bypass];
  });
}

/** What could not be asked, one sentence each. */
export function listUnknown(facts: LaunchFacts): string[] {
  const isUnknown = (answers: Readonly<Record<string, unknown>>) =>
    Object.values(answers).some((answer) => answer === undefined);
  const unknown = [
    isUnknown(facts.programs) ? 'whether the programs are there' : undefined,
    isUnknown(facts.users) || isUnknown(facts.groups) ? 'whether the users and groups are there' : undefined,
    isUnknown(facts.folders) ? 'whether the working directories are there' : undefined,
    facts.rtRuntimeUs === undefined ? 'kernel.sched_rt_runtime_us, which throttles fifo and rr threads' : undefined,
  ];
  return unknown.filter((each) => each !== undefined);
}
