import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CPUS } from '../unit/latency/program.ts';
import { awaitShell, cleanEnvironment, HFT, ROOT } from './run-hft.ts';

export const REFERENCE = join(ROOT, 'dist/hft-reference');
const PROBE = join(ROOT, 'dist/hft-probe');
/** Two CPUs that this process may use; the same one twice where there is one. */
export const [FIRST, LAST] = [CPUS[0] as number, CPUS.at(-1) as number];

interface Listed {
  readonly supervisor: string;
}

interface Recorded {
  readonly name: string;
  readonly phase: string;
  readonly pid?: number;
  readonly restarts: number;
  readonly why?: string;
  readonly lastEnd?: string;
}

const PAUSE_MS = 20;
const IS_THERE: ReadonlySet<string> = new Set(['starting', 'placing', 'running', 'stopping']);

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** An hft with folders of its own, and what it launched. */
export class Launched {
  readonly #environment: NodeJS.ProcessEnv;
  #watch: ChildProcess | undefined;
  readonly folder: string;

  constructor() {
    this.#environment = cleanEnvironment();
    this.folder = this.#environment.HOME as string;
    this.#environment.HFT_RUN_DIR = join(this.folder, 'run');
    mkdirSync(join(this.folder, 'run'));
  }

  get environment(): NodeJS.ProcessEnv {
    return this.#environment;
  }

  hft(line: string) {
    return awaitShell(`hft ${line}`, { environment: this.#environment });
  }

  shell(line: string) {
    return awaitShell(line, { environment: this.#environment });
  }

  write(name: string, deployment: string): string {
    const file = join(this.folder, name);
    writeFileSync(file, deployment);
    return file;
  }

  socket(process: string): string {
    return join(this.folder, `${process}.s`);
  }

  ask(process: string, request: string) {
    return awaitShell(`timeout 20 ${REFERENCE} ask ${this.socket(process)} ${request}`);
  }

  async list(): Promise<Listed> {
    return JSON.parse((await this.hft('ps --json')).stdout) as Listed;
  }

  /** As the supervisor last wrote it down: quicker than asking hft. */
  process(name: string): Recorded {
    const found = this.#state.processes.find((process) => process.name === name);
    if (found === undefined) throw new Error(`${name} was not launched`);
    return found;
  }

  /** As the kernel has them, in the order of their start: hft ps looks for a second before it answers. */
  threads(name: string): readonly { readonly name: string; readonly tid: number; readonly allowed: string }[] {
    const folder = `/proc/${this.process(name).pid}/task`;
    const tids = readdirSync(folder).map(Number);
    return tids
      .sort((left, right) => left - right)
      .map((tid) => ({
        tid,
        name: readFileSync(`${folder}/${tid}/comm`, 'utf8').trim(),
        allowed: /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync(`${folder}/${tid}/status`, 'utf8'))?.[1] ?? '',
      }));
  }

  get supervisor(): number {
    return this.#state.supervisor.pid;
  }

  get #state(): { readonly supervisor: { readonly pid: number }; readonly processes: readonly Recorded[] } {
    return JSON.parse(readFileSync(join(this.folder, 'run/launch/state.json'), 'utf8'));
  }

  /** The answers of `hft verify processes` that are no pass, by their id. */
  async differences(durationS = 1): Promise<Record<string, string>> {
    const { stdout } = await this.hft(`verify processes --duration ${durationS}s --json`);
    const { results } = JSON.parse(stdout) as { results: { id: string; status: string; evidence: string }[] };
    return Object.fromEntries(
      results.filter(({ status }) => status !== 'pass').map(({ id, evidence }) => [id, evidence]),
    );
  }

  /** Starts `hft ps --watch`, whose output grows in a file. Returns what it printed last, whole. */
  watch(): () => string {
    const file = join(this.folder, 'watch');
    const output = openSync(file, 'w');
    const environment = { ...this.#environment, COLUMNS: '10000' };
    this.#watch = spawn(HFT, ['ps', '--watch'], { env: environment, stdio: ['ignore', output, output] });
    return () =>
      readFileSync(file, 'utf8')
        .split(/^(?=Deployment )/m)
        .at(-2) ?? '';
  }

  /** Until `is` holds; the time limit of the test is the only one. */
  async until(is: () => boolean | Promise<boolean>): Promise<void> {
    while (!(await is())) await sleep(PAUSE_MS);
  }

  /** Ends everything, however the test went: the supervisor first, so that it starts nothing again. */
  async end(): Promise<void> {
    // It would start the supervisor again.
    if (this.#watch?.kill('SIGTERM')) await once(this.#watch, 'exit');
    if (!existsSync(join(this.folder, 'run/launch/state.json'))) return;
    // What is being started as its supervisor ends is in no record yet.
    await this.until(() => this.#state.processes.every(({ phase }) => phase !== 'starting'));
    kill(this.supervisor);
    for (const { pid, phase } of this.#state.processes)
      if (pid !== undefined && IS_THERE.has(phase)) await this.shell(`${PROBE} end-session ${pid}`);
  }
}
