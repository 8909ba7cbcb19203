import type { HostReader, QueryResult } from '../src/host/host.ts';
import { FakeHost } from './fake-host.ts';

/**
 * A captured machine that can be written to: what was never written reads as it was captured. Interrupts arrive where they
 * are sent, and taskset(1) moves threads.
 */
export class WritableCapture extends FakeHost {
  private readonly captured: HostReader;
  private readonly removed = new Set<string>();

  constructor(captured: HostReader) {
    super();
    this.captured = captured;
    this.commands.set('taskset', 'moved\n');
  }

  override async readText(path: string): Promise<string | undefined> {
    if (this.removed.has(path)) return undefined;
    return this.files.get(path) ?? (await this.captured.readText(path));
  }

  override async list(path: string): Promise<readonly string[] | undefined> {
    return this.folders.has(path) ? [] : this.captured.list(path);
  }

  override readLink(path: string): Promise<string | undefined> {
    return this.captured.readLink(path);
  }

  override query(argv: readonly string[]): ReturnType<HostReader['query']> {
    return this.captured.query(argv);
  }

  override async writeText(path: string, text: string): Promise<void> {
    const kept = this.files.get(path) ?? (await this.captured.readText(path));
    if (kept !== undefined) this.files.set(path, kept);
    await super.writeText(path, text);
    if (path.startsWith('/proc/irq/')) await this.deliver(path.slice(0, path.lastIndexOf('/')));
  }

  /** An interrupt arrives on all CPUs of its list; where it arrived at first, when it has its first list again. */
  private async deliver(folder: string): Promise<void> {
    const list = this.files.get(`${folder}/smp_affinity_list`);
    const before = await this.captured.readText(`${folder}/smp_affinity_list`);
    if (list === undefined) return;
    if (list.trim() === before?.trim()) this.files.delete(`${folder}/effective_affinity_list`);
    else this.files.set(`${folder}/effective_affinity_list`, list);
  }

  override async replaceFile(path: string, text: string): Promise<void> {
    this.removed.delete(path);
    await super.replaceFile(path, text);
  }

  override async removeFile(path: string): Promise<void> {
    this.removed.add(path);
    await super.removeFile(path);
  }

  override async execute(argv: readonly string[], options?: { readonly input?: string }): Promise<QueryResult> {
    const [command, , , cpus, pid] = argv;
    if (command === 'taskset') {
      const status = `/proc/${pid}/status`;
      const text = (await this.readText(status)) ?? '';
      this.files.set(status, text.replace(/^(Cpus_allowed_list:\s*)\S*$/m, `$1${cpus}`));
    }
    return super.execute(argv, options);
  }

  /** What was written and says something else than the capture: the whole of what was done to the machine. */
  async differences(): Promise<Record<string, string | undefined>> {
    const found: Record<string, string | undefined> = {};
    for (const path of new Set([...this.files.keys(), ...this.removed])) {
      const [now, before] = [await this.readText(path), await this.captured.readText(path)];
      if (plain(now) !== plain(before)) found[path] = plain(now);
    }
    return found;
  }
}

/** One spelling of what the kernel prints in several: `always [madvise] never`, `00000000,000000ff`, tabs. */
function plain(text: string | undefined): string | undefined {
  const trimmed = text?.trim().replaceAll(/[ \t]+/g, ' ');
  if (trimmed === undefined || trimmed.includes('\n')) return trimmed;
  const chosen = /\[(\w+)\]/.exec(trimmed);
  if (chosen) return chosen[1];
  return /^[\da-f,]+$/.test(trimmed) ? trimmed.replace(/^[0,]+(?=.)/, '') : trimmed;
}
