import { HostError } from '../src/errors.ts';
import type { Child, Host, QueryResult } from '../src/host/host.ts';

/** What a fake command answers: text on standard output, or the whole result, or a function that may change the host. */
export type FakeCommand =
  | string
  | QueryResult
  | ((host: FakeHost, input: string | undefined, argv: readonly string[]) => QueryResult | string);

/** A fault planted at the n-th write (1-based) or at every write to a path. */
export interface Fault {
  readonly at: number | string;
  /** errno: the write fails. ignore: it succeeds and nothing changes. clamp: the kernel takes this value instead.
   *  die-before, die-after: the process is killed around the write (throws Killed, and so does everything later). */
  readonly effect: { errno: string } | 'ignore' | { clamp: string } | 'die-before' | 'die-after';
}

/** The process is gone: nothing after this may touch the host. */
export class Killed extends Error {}

/**
 * A machine in memory: files, links and commands, with faults to plant. Folders follow from the paths.
 * Proves what the engine does when something fails; proves nothing about kernels.
 */
export class FakeHost implements Host {
  readonly label = 'fake';
  readonly files = new Map<string, string>();
  readonly links = new Map<string, string>();
  readonly commands = new Map<string, FakeCommand>();
  readonly folders = new Set<string>();
  /** Paths that exist and cannot be read, with the errno. */
  readonly unreadable = new Map<string, string>();
  faults: Fault[] = [];
  /** Every write and every executed command, in order. */
  readonly log: string[] = [];
  private writes = 0;
  private dead = false;

  constructor(files: Record<string, string> = {}, commands: Record<string, FakeCommand> = {}) {
    for (const [path, text] of Object.entries(files)) this.files.set(path, text);
    for (const [argv, answer] of Object.entries(commands)) this.commands.set(argv, answer);
  }

  /** The same machine as a new process finds it: no faults, not dead. */
  revive(): this {
    this.dead = false;
    this.faults = [];
    this.writes = 0;
    return this;
  }

  get writeCount(): number {
    return this.writes;
  }

  async readText(path: string): Promise<string | undefined> {
    this.mustLive();
    const code = this.unreadable.get(path);
    if (code) throw new HostError('read', path, code);
    return this.files.get(path);
  }

  async list(path: string): Promise<readonly string[] | undefined> {
    this.mustLive();
    const prefix = path.endsWith('/') ? path : `${path}/`;
    const names = new Set<string>();
    for (const known of [...this.files.keys(), ...this.links.keys(), ...this.folders]) {
      if (known.startsWith(prefix)) names.add(known.slice(prefix.length).split('/')[0] as string);
    }
    if (names.size === 0 && !this.folders.has(path)) return undefined;
    return [...names].sort();
  }

  async readLink(path: string): Promise<string | undefined> {
    this.mustLive();
    return this.links.get(path);
  }

  async query(argv: readonly string[]): Promise<QueryResult> {
    this.mustLive();
    return this.run(argv, undefined);
  }

  async writeText(path: string, text: string): Promise<void> {
    const kept = this.files.get(path);
    if (kept === undefined) throw new HostError('write', path, 'ENOENT');
    this.write(path, text, (value) => this.files.set(path, `${value.replace(/\n$/, '')}\n`));
  }

  async replaceFile(path: string, text: string): Promise<void> {
    this.write(path, text, (value) => {
      this.keepFoldersOf(path);
      this.files.set(path, value);
    });
  }

  /** Missing parents are made with a file, and outlive it. */
  private keepFoldersOf(path: string): void {
    const known = [...this.files.keys(), ...this.links.keys(), ...this.folders];
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
      const folder = path.slice(0, end);
      if (!known.some((each) => each === folder || each.startsWith(`${folder}/`))) this.folders.add(folder);
    }
  }

  async removeFile(path: string): Promise<void> {
    this.write(path, '', () => this.files.delete(path));
  }

  async makeFolder(path: string): Promise<void> {
    this.write(path, '', () => this.folders.add(path));
  }

  async removeFolder(path: string): Promise<void> {
    this.write(path, '', () => this.folders.delete(path));
  }

  async execute(argv: readonly string[], options: { readonly input?: string } = {}): Promise<QueryResult> {
    let result: QueryResult = { found: false };
    this.write(argv.join(' '), '', () => {
      result = this.run(argv, options.input);
    });
    return result;
  }

  /** A child is what its command answers, all at once. */
  async startChild(argv: readonly string[]): Promise<Child | undefined> {
    this.mustLive();
    const result = this.run(argv, undefined);
    if (!result.found) return undefined;
    const output = (async function* () {
      yield Buffer.from(result.stdout, 'latin1');
    })();
    return { pid: 1, output, ended: Promise.resolve(result), signal() {} };
  }

  async start(argv: readonly string[]): Promise<void> {
    this.write(argv.join(' '), '', () => {});
  }

  private run(argv: readonly string[], input: string | undefined): QueryResult {
    const answer = this.commands.get(argv.join(' ')) ?? this.commands.get(argv[0] as string);
    if (answer === undefined) return { found: false };
    const result = typeof answer === 'function' ? answer(this, input, argv) : answer;
    return typeof result === 'string' ? { found: true, exitCode: 0, stdout: result, stderr: '' } : result;
  }

  private write(path: string, text: string, act: (value: string) => void): void {
    this.mustLive();
    this.writes++;
    const fault = this.faults.find(({ at }) => at === this.writes || at === path);
    if (fault?.effect === 'die-before') this.die();
    this.log.push(text === '' ? path : `${path} <- ${text.trimEnd()}`);
    if (typeof fault?.effect === 'object' && 'errno' in fault.effect)
      throw new HostError('write', path, fault.effect.errno);
    if (typeof fault?.effect === 'object' && 'clamp' in fault.effect) act(fault.effect.clamp);
    else if (fault?.effect !== 'ignore') act(text);
    if (fault?.effect === 'die-after') this.die();
  }

  private die(): never {
    this.dead = true;
    throw new Killed('killed by a planted fault');
  }

  private mustLive(): void {
    if (this.dead) throw new Killed('a dead process cannot act');
  }
}
