import type { Host } from '../../host/host.ts';

/** Tells systemd how the agent is, sd_notify(3). Nothing happens where nobody listens. */
export class ServiceNotice {
  readonly #host: Host;
  readonly #isThere: boolean;
  readonly #watchdogMs: number | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(host: Host, environment: Readonly<Record<string, string | undefined>>) {
    this.#host = host;
    this.#isThere = environment.NOTIFY_SOCKET !== undefined;
    const watchdogUs = Number(environment.WATCHDOG_USEC);
    this.#watchdogMs = watchdogUs > 0 ? watchdogUs / 1_000 / 2 : undefined;
  }

  /** From here on the watchdog hears of it as often as it wants, as long as requests can be taken. */
  async ready(status: string): Promise<void> {
    await this.#say('READY=1', `STATUS=${status}`);
    if (this.#isThere && this.#watchdogMs !== undefined)
      this.#timer = setInterval(() => void this.#say('WATCHDOG=1'), this.#watchdogMs);
  }

  async stopping(): Promise<void> {
    clearInterval(this.#timer);
    await this.#say('STOPPING=1');
  }

  /** By systemd's own tool: Node has no datagram sockets of this kind. The unit says NotifyAccess=all for it. */
  async #say(...words: readonly string[]): Promise<void> {
    if (this.#isThere) await this.#host.execute(['systemd-notify', ...words]);
  }
}
