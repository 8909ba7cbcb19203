import type { HostReader } from '../host/host.ts';
import { readInteger, readNames, readValue } from './kernel-file.ts';
import { CPU_ROOT } from './present-cpus.ts';

/** One idle state (C-state) and who may use it. */
export interface IdleState {
  readonly name: string;
  /** How long leaving it takes. */
  readonly latencyUs: number | undefined;
  /** CPUs where it is switched off. */
  readonly disabledOn: readonly number[];
}

export interface Idle {
  readonly driver: string | undefined;
  readonly governor: string | undefined;
  readonly states: readonly IdleState[];
}

/** https://docs.kernel.org/admin-guide/pm/cpuidle.html. The states of the first online CPU stand for all. */
export async function readIdle(reader: HostReader, online: readonly number[]): Promise<Idle> {
  const first = `${CPU_ROOT}/cpu${online[0] ?? 0}/cpuidle`;
  const names = (await readNames(reader, first)).filter((name) => /^state\d+$/.test(name));
  const governor =
    (await readValue(reader, `${CPU_ROOT}/cpuidle/current_governor`)) ??
    (await readValue(reader, `${CPU_ROOT}/cpuidle/current_governor_ro`));
  return {
    driver: await readValue(reader, `${CPU_ROOT}/cpuidle/current_driver`),
    governor,
    states: await Promise.all(names.map((state) => readState(reader, state, online))),
  };
}

async function readState(reader: HostReader, state: string, online: readonly number[]): Promise<IdleState> {
  const folderOf = (cpu: number) => `${CPU_ROOT}/cpu${cpu}/cpuidle/${state}`;
  const disabled = await Promise.all(online.map((cpu) => readInteger(reader, `${folderOf(cpu)}/disable`)));
  return {
    name: (await readValue(reader, `${folderOf(online[0] ?? 0)}/name`)) ?? state,
    latencyUs: await readInteger(reader, `${folderOf(online[0] ?? 0)}/latency`),
    disabledOn: online.filter((_, at) => disabled[at] === 1),
  };
}
