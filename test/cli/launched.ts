import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CPUS } from '../unit/latency/program.ts';
import { cleanEnvironment, HFT, ROOT, runShell } from './run-hft.ts';

export const REFERENCE = join(ROOT, 'dist/hft-reference');
/** Two CPUs that this process may use; the same one twice where there is one. */
export const [FIRST, LAST] = [CPUS[0] as number, CPUS.at(-1) as number];

interface Listed {
  readonly supervisor: string;
  readonly processes: readonly {
    readonly name: string;
    readonly threads: readonly { readonly name: string; readonly tid: number; readonly allowed: string }[];
  }[];
}

interface Recorded {
  readonly name: string;
  readonly phase: string;
  readonly pid?: number;
  readonly restarts: number;
  readonly why?: string;
  readonly lastEnd?: string;
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
    return runShell(`hft ${line}`, { environment: this.#environment });
  }

  shell(line: string) {
    return runShell(line, { environment: this.#environment });
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
    return runShell(`timeout 20 ${REFERENCE} ask ${this.socket(process)} ${request}`);
  }

  list(): Listed {
    return JSON.parse(this.hft('ps --json').stdout) as Listed;
  }

  /** As the supervisor last wrote it down: quicker than asking hft. */
  process(name: string): Recorded {
    const found = this.#state.processes.find((process) => process.name === name);
    if (found === undefined) throw new Error(`${name} was not launched`);
    return found;
  }

  threads(name: string): Listed['processes'][number]['threads'] {
    return this.list().processes.find((process) => process.name === name)?.threads ?? [];
  }

  get supervisor(): number {
    return this.#state.supervisor.pid;
  }

  get #state(): { readonly supervisor: { readonly pid: number }; readonly processes: readonly Recorded[] } {
    return JSON.parse(readFileSync(join(this.folder, 'run/launch/state.json'), 'utf8'));
  }

  /** The answers of `hft verify processes` that are no pass, by their id. */
  differences(durationS = 1): Record<string, string> {
    const { stdout } = this.hft(`verify processes --duration ${durationS}s --json`);
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
  until(is: () => boolean): void {
    while (!is()) spawnSync('sleep', ['0.1']);
  }

  /** Ends everything, however the test went. */
  end(): void {
    this.#watch?.kill('SIGTERM');
    this.hft('stop');
  }
}
