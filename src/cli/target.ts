import type { Agent, Planned } from '../agent/agent.ts';
import type { Scope, Wanted } from '../engine/scope.ts';
import type { Verification } from '../engine/verify.ts';
import type { HostFacts } from '../topology/host-facts.ts';
import type { Machine } from '../topology/machine.ts';

/** What commands that only look need: this machine, or a captured one. */
export interface ReadOnlyTarget {
  plan(wanted: Wanted, scope?: Scope): Promise<Planned>;
  verify(wanted: Wanted, scope?: Scope): Promise<Verification>;
  machine(): Promise<Machine>;
  facts(): Promise<HostFacts>;
  close(): Promise<void>;
}

export interface Installation {
  /** The folder with package.json and profiles/. */
  readonly root: string;
  readonly version: string;
}

/** This machine, with everything that can be done to it. */
export async function openAgent({ root, version }: Installation): Promise<Agent> {
  const { embeddedAgent } = await import('../agent/embedded.ts');
  return embeddedAgent({
    environment: process.env,
    version,
    command: `${root}/bin/hft`,
    probeProgram: `${root}/dist/hft-probe`,
  });
}

/** This machine, or the captured one at `snapshot`. Close it when done. */
export async function openTarget(installation: Installation, snapshot: string | undefined): Promise<ReadOnlyTarget> {
  if (snapshot === undefined) return { ...(await openAgent(installation)), close: async () => {} };
  const { openSnapshot } = await import('../host/snapshot.ts');
  const { observeAndPlan } = await import('../engine/observe.ts');
  const { verifyPlan } = await import('../engine/verify.ts');
  const { domains } = await import('../tuning/index.ts');
  const { readMachine } = await import('../topology/read.ts');
  const reader = await openSnapshot(snapshot);
  const plan = (wanted: Wanted, scope?: Scope) => observeAndPlan({ reader, domains, wanted, ...(scope && { scope }) });
  return {
    plan,
    verify: async (wanted, scope) => verifyPlan((await plan(wanted, scope)).plan),
    machine: () => readMachine(reader),
    async facts() {
      const { hostFactsOf } = await import('../topology/host-facts.ts');
      const { readInspection } = await import('../topology/inspection.ts');
      const machine = await readMachine(reader);
      return hostFactsOf(machine, await readInspection(reader, machine));
    },
    close: () => reader.close(),
  };
}
