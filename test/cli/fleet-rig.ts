import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { withController } from '../../src/agent/keys/authorized.ts';
import { makeKeyFile } from '../../src/agent/keys/key-files.ts';
import { parsePublicKey, printPublicKey } from '../../src/agent/keys/key-text.ts';
import { LocalHost } from '../../src/host/local.ts';
import { awaitShell, cleanEnvironment, HFT, ROOT, type Run, runShell } from './run-hft.ts';

const AGENT = join(ROOT, 'test/unit/agent/children/agent.ts');
export const KNOBS = 10;

/** A host of a fleet: an agent in a process of its own, whose machine is ten files. */
class FleetHost {
  readonly name: string;
  readonly folder: string;
  readonly #controller: string;
  publicKey = '';
  port = 0;
  #child: ChildProcess | undefined;
  #ended: Promise<unknown> = Promise.resolve();
  #said: string[] = [];

  constructor(name: string, folder: string, controller: string) {
    this.name = name;
    this.folder = join(folder, name);
    this.#controller = controller;
  }

  async make(): Promise<void> {
    mkdirSync(this.folder);
    const { publicKey } = await makeKeyFile(new LocalHost(), join(this.folder, 'agent.key'), 'agent');
    this.publicKey = printPublicKey(publicKey);
    for (let knob = 0; knob < KNOBS; knob++) writeFileSync(join(this.folder, `knob-${knob}`), '0\n');
  }

  /** `stopsAt`: a knob, after whose write it does nothing more; or `slow`. */
  async start(stopsAt?: string): Promise<void> {
    const key = { role: 'operator', key: this.#controller, name: 'test' } as const;
    const child = spawn(process.execPath, [AGENT, this.folder, String(this.port), ...(stopsAt ? [stopsAt] : [])], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, AUTHORIZED: withController('', key) },
    });
    this.#child = child;
    this.#said = [];
    this.#ended = new Promise((resolve) => child.once('close', resolve));
    createInterface({ input: child.stdout }).on('line', (line) => this.#said.push(line));
    this.port = Number(await this.line());
  }

  async line(): Promise<string> {
    while (this.#said.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    return this.#said.shift() as string;
  }

  async kill(): Promise<void> {
    this.#child?.kill('SIGKILL');
    await this.#ended;
  }

  /** `old` and `new` are whole; anything else is between. */
  get state(): string {
    const knobs = Array.from({ length: KNOBS }, (_, knob) =>
      readFileSync(join(this.folder, `knob-${knob}`), 'utf8').trim(),
    );
    if (knobs.every((value) => value === '0')) return 'old';
    return knobs.every((value) => value === '1') ? 'new' : knobs.join('');
  }
}

/** Hosts with their inventory, and a controller that may change them. */
export class Fleet {
  readonly folder = mkdtempSync(join(tmpdir(), 'hft-fleet-'));
  readonly environment = cleanEnvironment();
  readonly hosts: FleetHost[] = [];
  readonly inventory = join(this.folder, 'hosts.ini');

  async start(count: number): Promise<this> {
    const made = runShell('hft agent keygen --controller --json', { environment: this.environment });
    const controller = parsePublicKey(JSON.parse(made.stdout).publicKey) as string;
    for (let index = 1; index <= count; index++) this.hosts.push(new FleetHost(`h${index}`, this.folder, controller));
    await Promise.all(
      this.hosts.map(async (host) => {
        await host.make();
        await host.start();
      }),
    );
    const lines = this.hosts.map(
      ({ name, port, publicKey }) => `${name} hft_agent_port=${port} hft_agent_key=${publicKey}`,
    );
    writeFileSync(this.inventory, `[boxes]\n${lines.join('\n')}\n[boxes:vars]\nansible_host=127.0.0.1\n`);
    return this;
  }

  host(name: string): FleetHost {
    return this.hosts.find((each) => each.name === name) as FleetHost;
  }

  get states(): string {
    return this.hosts.map(({ state }) => state).join(' ');
  }

  hft(line: string): Promise<Run> {
    return awaitShell(`hft ${line.replaceAll('FLEET', `--inventory ${this.inventory}`)}`, {
      environment: this.environment,
    });
  }

  /** To be killed. */
  begin(line: string): {
    readonly child: ChildProcess;
    readonly ended: Promise<{ code: number | null; stdout: string; stderr: string }>;
  } {
    const argv = line.replaceAll('FLEET', `--inventory ${this.inventory}`).split(' ');
    const child = spawn(HFT, argv, { env: this.environment, cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    const texts = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) child[name].on('data', (piece) => (texts[name] += piece));
    const ended = new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
      child.once('close', (code) => resolve({ code, ...texts }));
    });
    return { child, ended };
  }

  async end(): Promise<void> {
    await Promise.all(this.hosts.map((host) => host.kill()));
  }
}
