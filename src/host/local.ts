import fs from 'node:fs';
import { HostError } from '../errors.ts';
import { makeFoldersDurably, removeDurably, removeFolderDurably, replaceDurably } from './durable-file.ts';
import { errnoOf, onPath, unlessMissing } from './errno.ts';
import type { Child, Host, QueryResult } from './host.ts';
import { startLocalChild } from './local-child.ts';
import { runCommand, startCommand } from './local-command.ts';

/** A command that only asks and has not answered in this time never will. */
const QUERY_TIMEOUT_MS = 60_000;
/** update-initramfs and grub-mkconfig take minutes on a slow disk. */
const EXECUTE_TIMEOUT_MS = 300_000;

export interface LocalHostOptions {
  readonly queryTimeoutMs?: number;
  readonly executeTimeoutMs?: number;
  /** The absolute path of hft-probe, which is asked by its name alone; without it, it is not installed. */
  readonly probe?: string;
}

/**
 * This machine. The file calls are synchronous inside: 500 sysfs reads take 4 ms that way and 28 ms as promises one
 * after the other, and the kernel answers them from memory. Commands are asynchronous.
 */
export class LocalHost implements Host {
  readonly label = 'localhost';
  readonly #queryTimeoutMs: number;
  readonly #executeTimeoutMs: number;
  readonly #probe: string | undefined;

  constructor(options: LocalHostOptions = {}) {
    this.#queryTimeoutMs = options.queryTimeoutMs ?? QUERY_TIMEOUT_MS;
    this.#executeTimeoutMs = options.executeTimeoutMs ?? EXECUTE_TIMEOUT_MS;
    this.#probe = options.probe;
  }

  /** Until end of file: st_size of /proc and /sys files says nothing. EISDIR for a folder. */
  async readText(path: string): Promise<string | undefined> {
    return unlessMissing('read', path, () => fs.readFileSync(path, 'utf8'));
  }

  async list(path: string): Promise<readonly string[] | undefined> {
    return unlessMissing('list', path, () => fs.readdirSync(path).sort());
  }

  async readLink(path: string): Promise<string | undefined> {
    return unlessMissing('read link', path, () => {
      try {
        return fs.readlinkSync(path);
      } catch (error) {
        // readlink(2): EINVAL, the named file is not a symbolic link.
        if (errnoOf(error) === 'EINVAL') return undefined;
        throw error;
      }
    });
  }

  async query(argv: readonly string[]): Promise<QueryResult> {
    const isProbe = argv[0] === 'hft-probe' && this.#probe !== undefined;
    const named = isProbe ? [this.#probe as string, ...argv.slice(1)] : argv;
    return runCommand(named, { timeoutMs: this.#queryTimeoutMs });
  }

  /** A kernel file takes a value whole or not at all, so a short write is an error (EIO) and is not continued.
   *  Neither O_CREAT nor O_TRUNC: a file that is not there is ENOENT, and a driver never sees an empty write. */
  async writeText(path: string, text: string): Promise<void> {
    onPath('write', path, () => {
      const content = Buffer.from(text);
      const fd = fs.openSync(path, fs.constants.O_WRONLY);
      let written: number;
      try {
        written = fs.writeSync(fd, content);
      } catch (error) {
        fs.closeSync(fd);
        throw error;
      }
      fs.closeSync(fd);
      if (written !== content.length) throw new HostError('write', path, 'EIO');
    });
  }

  async replaceFile(path: string, text: string, mode?: number): Promise<void> {
    replaceDurably(path, text, mode);
  }

  async removeFile(path: string): Promise<void> {
    removeDurably(path);
  }

  async makeFolder(path: string): Promise<void> {
    makeFoldersDurably(path);
  }

  async removeFolder(path: string): Promise<void> {
    removeFolderDurably(path);
  }

  async execute(argv: readonly string[], options: { readonly input?: string } = {}): Promise<QueryResult> {
    return runCommand(argv, { ...options, timeoutMs: this.#executeTimeoutMs });
  }

  async startChild(argv: readonly string[]): Promise<Child | undefined> {
    return startLocalChild(argv);
  }

  async start(argv: readonly string[]): Promise<void> {
    await startCommand(argv);
  }
}
