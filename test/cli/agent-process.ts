import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../free-port.ts';
import { awaitShell, cleanEnvironment, HFT, type Run } from './run-hft.ts';

/** `hft agent run` with folders of its own, and a controller with a home of its own. */
export class AgentProcess {
  readonly host = cleanEnvironment();
  readonly controller = cleanEnvironment();
  constructor() {
    this.host.HFT_RUN_DIR = join(this.host.HOME as string, 'run');
  }

  #child: ChildProcess | undefined;
  #ended: Promise<unknown> = Promise.resolve();
  #port = 0;

  /** The name that the controller has for it. */
  get name(): string {
    return `127.0.0.1:${this.#port}`;
  }

  onHost(line: string): Promise<Run> {
    return awaitShell(line, { environment: this.host });
  }

  asController(line: string): Promise<Run> {
    return awaitShell(line.replaceAll('BOX', this.name), { environment: this.controller });
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
  async introduce(role: string): Promise<void> {
    const made = await Promise.all([
      this.onHost('hft agent keygen --json'),
      this.asController('hft agent keygen --controller --json'),
    ]);
    const [agentKey, controllerKey] = made.map(({ stdout }) => JSON.parse(stdout).publicKey);
    await this.onHost(`hft agent authorize ${controllerKey} --role ${role} --name alice`);
    await this.start();
    await this.asController(`hft agent trust BOX ${agentKey}`);
  }

  /** Waits until it listens. */
  async start(more: NodeJS.ProcessEnv = {}): Promise<void> {
    writeFileSync(this.#logFile, '');
    this.#port ||= await freePort();
    this.#child = spawn('/bin/sh', ['-c', `exec ${HFT} agent run --listen 127.0.0.1:${this.#port} >>"$LOG" 2>&1`], {
      env: { ...this.host, ...more, LOG: this.#logFile },
      stdio: 'ignore',
    });
    this.#ended = once(this.#child, 'close');
    await this.untilLog('"event":"listening"');
  }

  /** The time limit of the test is the only one, while it runs. */
  async untilLog(text: string): Promise<void> {
    while (!this.log.includes(text)) {
      if (this.#hasEnded) throw new Error(`the agent ended before it said ${text}: ${this.log}`);
      await sleep(20);
    }
  }

  get #hasEnded(): boolean {
    return this.#child?.exitCode !== null || this.#child.signalCode !== null;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** How it ended. */
  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    this.#child?.kill(signal);
    await this.#ended;
    return this.#child?.exitCode ?? null;
  }
}
