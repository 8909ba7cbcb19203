import type { Lock, StateDirectory } from '../../src/host/state-directory.ts';
import type { FakeHost } from '../fake-host.ts';

/** A state directory among the files of a fake host, so that its writes fail and die like every other. */
export class HostState implements StateDirectory {
  readonly path: string;
  readonly #host: FakeHost;

  constructor(host: FakeHost, path: string) {
    this.#host = host;
    this.path = path;
  }

  async list(folder: string): Promise<readonly string[]> {
    return (await this.#host.list(`${this.path}/${folder}`)) ?? [];
  }

  async readText(name: string): Promise<string | undefined> {
    return this.#host.readText(`${this.path}/${name}`);
  }

  async append(name: string, text: string): Promise<void> {
    await this.replace(name, `${(await this.readText(name)) ?? ''}${text}`);
  }

  async replace(name: string, text: string): Promise<void> {
    await this.#host.replaceFile(`${this.path}/${name}`, text);
  }

  async remove(name: string): Promise<void> {
    if ((await this.readText(name)) !== undefined) await this.#host.removeFile(`${this.path}/${name}`);
  }

  /** That of a dead process is taken over. */
  async lock(): Promise<Lock> {
    return { release: async () => {} };
  }
}
