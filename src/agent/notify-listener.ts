import type { Child, Host } from '../host/host.ts';

export interface Notification {
  readonly pid: number;
  /** `READY=1`, `WATCHDOG=1`; sd_notify(3). */
  readonly text: string;
}

/** What processes say of themselves. hft-probe listens, since Node has no datagrams of this kind; it ends with this process. */
export class Listener {
  readonly #host: Host;
  readonly #probe: string;
  #child: Child | undefined;
  #heard: Notification[] = [];
  #unfinished = '';

  constructor(host: Host, probe: string) {
    this.#host = host;
    this.#probe = probe;
  }

  /** Returns when it listens: what is sent before is lost. Or when it ended: then nothing is heard. */
  async start(path: string): Promise<void> {
    const child = await this.#host.startChild([this.#probe, 'notify-listen', path]);
    this.#child = child;
    if (child === undefined) return;
    await new Promise<void>((listens) => {
      void this.#read(child, listens).finally(listens);
    });
  }

  take(): readonly Notification[] {
    const heard = this.#heard;
    this.#heard = [];
    return heard;
  }

  stop(): void {
    this.#child?.signal('SIGTERM');
  }

  async #read(child: Child, listens: () => void): Promise<void> {
    for await (const piece of child.output) {
      const lines = (this.#unfinished + piece.toString('utf8')).split('\n');
      this.#unfinished = lines.pop() ?? '';
      for (const line of lines) {
        if (line === 'ready') {
          listens();
          continue;
        }
        const blank = line.indexOf(' ');
        this.#heard.push({ pid: Number(line.slice(0, blank)), text: line.slice(blank + 1) });
      }
    }
  }
}
