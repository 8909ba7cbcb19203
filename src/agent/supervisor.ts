import { HostError } from '../errors.ts';
import type { Host } from '../host/host.ts';
import { identifyThisProcess } from '../host/process-identity.ts';
import type { StateDirectory } from '../host/state-directory.ts';
import { dependencyFacts } from '../launch/dependencies.ts';
import type { LaunchOrder, OrderedProcess } from '../launch/order.ts';
import { type Action, newRecord, type ProcessFacts, type ProcessRecord, supervise } from '../launch/supervision.ts';
import { findByToken, readStart, TOKEN } from './find-process.ts';
import { type LaunchState, readOrder, readState, writeState } from './launch-files.ts';
import { Listener } from './notify-listener.ts';
import { Watch } from './process-watch.ts';

export interface SupervisorSite {
  readonly host: Host;
  readonly run: StateDirectory;
  /** The absolute path of hft-probe. */
  readonly probe: string;
  /** ms of the monotonic clock, which all processes of a boot share. */
  readonly nowMs: () => number;
  readonly newToken: () => string;
}

const TICK_MS = 100;

/**
 * Makes it so that what was ordered runs, for hosts without systemd. Each decision is on disk before it is carried out. Ends when there is
 * nothing left to watch. Killed, it leaves the processes as they are, and the next one goes on from what is on disk.
 */
export async function superviseProcesses(site: SupervisorSite): Promise<void> {
  const lock = await site.run.lock('the supervisor of hft launch');
  const listener = new Listener(site.host, site.probe);
  try {
    await listener.start(`${site.run.path}/notify`);
    const supervisor = new Supervisor(site, listener);
    await supervisor.takeOver();
    while (await supervisor.turn()) await new Promise((resolve) => setTimeout(resolve, TICK_MS));
  } finally {
    listener.stop();
    await lock.release();
  }
}

class Supervisor {
  readonly #site: SupervisorSite;
  readonly #listener: Listener;
  readonly #records = new Map<string, ProcessRecord>();
  readonly #watches = new Map<string, Watch>();
  #written = '';

  constructor(site: SupervisorSite, listener: Listener) {
    this.#site = site;
    this.#listener = listener;
  }

  /** What an earlier supervisor of this boot knew. */
  async takeOver(): Promise<void> {
    const { run, host, nowMs } = this.#site;
    const state = await readState(run);
    if (state === undefined) return;
    for (const record of state.processes) {
      const found =
        record.phase === 'starting' && record.token !== undefined && (await findByToken(host, record.token));
      const pid = found || record.pid;
      const startTicks = found ? await readStart(host, found) : record.startTicks;
      this.#records.set(record.name, { ...record, pid, startTicks, beatMs: nowMs() });
    }
  }

  /** One look at everything. False when there is nothing left to watch. */
  async turn(): Promise<boolean> {
    const order = await readOrder(this.#site.run);
    if (order === undefined) return false;
    this.#hear();
    for (const process of order.processes) await this.#attend(process, order);
    await this.#save(order);
    return [...this.#records.values()].some(({ phase }) => !['down', 'ended', 'broken'].includes(phase));
  }

  #hear(): void {
    for (const { pid, text } of this.#listener.take()) {
      const record = [...this.#records.values()].find((each) => each.pid === pid);
      if (record === undefined) continue;
      if (text === 'READY=1') this.#records.set(record.name, { ...record, isReady: true, beatMs: this.#site.nowMs() });
      if (text === 'WATCHDOG=1') this.#records.set(record.name, { ...record, beatMs: this.#site.nowMs() });
    }
  }

  async #attend(process: OrderedProcess, order: LaunchOrder): Promise<void> {
    const record = this.#records.get(process.name) ?? newRecord(process.name);
    const watch = this.#watches.get(process.name) ?? new Watch(this.#site, process.name);
    this.#watches.set(process.name, watch);
    const nowMs = this.#site.nowMs();
    const seen = await watch.see(record);
    const facts: ProcessFacts = { nowMs, ...seen, ...dependencyFacts(process, order, this.#records) };
    const checked = { ...record, failedChecks: watch.failedChecks(record) };
    const decision = supervise(process, checked, facts);
    this.#records.set(process.name, decision.record);
    if (decision.action !== undefined) await this.#act(process, decision.action, order);
    const next = this.#records.get(process.name) as ProcessRecord;
    if (next.phase === 'placing' && !watch.isPlacing) watch.place(process, next);
    if (next.phase === 'running') watch.look(process, next, order.heal);
    else watch.forgetChecks();
  }

  async #act(process: OrderedProcess, action: Action, order: LaunchOrder): Promise<void> {
    const { host, probe } = this.#site;
    const record = this.#records.get(process.name) as ProcessRecord;
    if (action.kind === 'start') return this.#start(process, order);
    if (record.pid === undefined) return;
    await this.#save(order);
    const argv =
      action.kind === 'clear'
        ? [probe, 'end-session', String(record.pid)]
        : [probe, 'signal', String(record.pid), record.startTicks ?? '0', action.name];
    await host.execute(argv);
  }

  /** The decision first, with the token by which the process is found should this be the last that is written. */
  async #start(process: OrderedProcess, order: LaunchOrder): Promise<void> {
    const { host, newToken } = this.#site;
    const token = newToken();
    const record = { ...(this.#records.get(process.name) as ProcessRecord), token };
    this.#records.set(process.name, record);
    await this.#save(order);
    const dashes = process.start.indexOf('--');
    const argv = [...process.start.slice(0, dashes), '--set', `${TOKEN}=${token}`, ...process.start.slice(dashes)];
    const watch = this.#watches.get(process.name) as Watch;
    try {
      const child = await host.startChild(argv);
      if (child === undefined) return;
      watch.own(child);
      this.#records.set(process.name, { ...record, pid: child.pid, startTicks: await readStart(host, child.pid) });
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
    }
    await this.#save(order);
  }

  async #save(order: LaunchOrder): Promise<void> {
    const names = order.processes.map(({ name }) => name);
    const records = names.flatMap((name) => this.#records.get(name) ?? []);
    const state: LaunchState = {
      supervisor: identifyThisProcess(),
      deployment: order.deployment,
      order: order.time,
      processes: records,
    };
    // When it last said that it lives is of use to this supervisor alone.
    const text = JSON.stringify({ ...state, processes: records.map((record) => ({ ...record, beatMs: 0 })) });
    if (text === this.#written) return;
    await writeState(this.#site.run, state);
    this.#written = text;
  }
}
