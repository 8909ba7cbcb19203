import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cleanEnvironment, HFT, type Run, runShell } from './run-hft.ts';

/** `hft agent run` with folders of its own, and a controller with a home of its own. */
export class AgentProcess {
  readonly host = cleanEnvironment();
  readonly controller = cleanEnvironment();
  constructor() {
    this.host.HFT_RUN_DIR = join(this.host.HOME as string, 'run');
  }

  #child: ChildProcess | undefined;
  #ended: Promise<number | null> = Promise.resolve(null);
  #port = 0;

  /** The name that the controller has for it. */
  get name(): string {
    return `127.0.0.1:${this.#port}`;
  }

  onHost(line: string): Run {
    return runShell(line, { environment: this.host });
  }

  asController(line: string): Run {
    return runShell(line.replaceAll('BOX', this.name), { environment: this.controller });
  }

  hostFile(name: string): string {
    return join(this.host.HFT_CONFIG_DIR as string, name);
  }

  controllerFile(name: string): string {
    return join(this.controller.HFT_CONFIG_DIR as string, name);
  }

  get #logFile(): string {
    return join(this.host.HOME as string, 'agent.log');
  }

  get log(): string {
    return readFileSync(this.#logFile, 'utf8');
  }

  /** Both keys made and made known. */
  introduce(role: string): void {
    const host = this.onHost('hft agent keygen --json');
    const controller = this.asController('hft agent keygen --controller --json');
    const [agentKey, controllerKey] = [host, controller].map(({ stdout }) => JSON.parse(stdout).publicKey);
    this.onHost(`hft agent authorize ${controllerKey} --role ${role} --name alice`);
    this.start();
    this.asController(`hft agent trust BOX ${agentKey}`);
  }

  /** Waits until it listens. */
  start(more: NodeJS.ProcessEnv = {}): void {
    writeFileSync(this.#logFile, '');
    this.#child = spawn('/bin/sh', ['-c', `exec ${HFT} agent run --listen 127.0.0.1:${this.#port} >>"$LOG" 2>&1`], {
      env: { ...this.host, ...more, LOG: this.#logFile },
      stdio: 'ignore',
    });
    this.#ended = new Promise((resolve) => this.#child?.once('close', (code) => resolve(code)));
    this.untilLog('"event":"listening"');
    this.#port = Number(/"endpoint":"tcp:\/\/127\.0\.0\.1:(\d+)"/.exec(this.log)?.[1]);
  }

  /** The time limit of the test is the only one. */
  untilLog(text: string): void {
    while (!this.log.includes(text)) runShell('sleep 0.05');
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** How it ended. */
  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    this.#child?.kill(signal);
    return this.#ended;
  }
}
