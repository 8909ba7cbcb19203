import { findBootCpu } from '../layout/cores.ts';
import type { PlacedMachine } from '../layout/layout.ts';
import { nameCpus } from '../layout/names.ts';
import { type Problem, printPlace } from '../profile/problem.ts';
import type { ProcessWish } from './wishes.ts';

interface Claim {
  readonly process: string;
  readonly thread: string | undefined;
  readonly where: string;
}

/** Who has which CPU to itself, among those that are named in the file. */
export interface Claims {
  readonly holders: ReadonlyMap<number, string>;
  readonly problems: readonly Problem[];
}

/** A CPU that two ask for is a problem at the second one. The boot CPU is nobody's own: the kernel's work cannot leave it. */
export function claimNamed(processes: readonly ProcessWish[], machine: PlacedMachine): Claims {
  const claims = new Map<number, Claim>();
  const problems: Problem[] = [];
  const boot = findBootCpu(machine.topology);
  const claim = (cpu: number, wish: ProcessWish, thread: string | undefined): void => {
    const path = thread === undefined ? ['cpus'] : ['threads', thread];
    const before = claims.get(cpu);
    const { place } = wish.report(path, '');
    const mine = { process: wish.name, thread, where: printPlace(place) };
    if (cpu === boot)
      problems.push(
        wish.report(path, `CPU ${cpu} runs the kernel's own work, which cannot leave it`, 'Take another CPU.'),
      );
    else if (before !== undefined && (before.process !== wish.name || before.thread !== undefined))
      problems.push(
        wish.report(
          path,
          `${nameCpus([cpu])} is taken already, by ${nameClaim(before)} (${before.where})`,
          'One thread has a CPU of its own: take another one.',
        ),
      );
    else claims.set(cpu, mine);
  };
  for (const wish of processes) {
    for (const cpu of wish.listed) claim(cpu, wish, undefined);
    for (const { name, at } of wish.threads) if (at.kind === 'named') for (const cpu of at.cpus) claim(cpu, wish, name);
  }
  return { holders: new Map([...claims].map(([cpu, { process }]) => [cpu, process])), problems };
}

function nameClaim({ process, thread }: Claim): string {
  return thread === undefined ? process : `${process}/${thread}`;
}
