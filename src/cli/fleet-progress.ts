import type { HostAnswer } from '../fleet/answers.ts';
import { ProgressLine } from './progress.ts';

/** Above that a line for each host is no help any more. */
export const MOST_LINES = 20;

type Ended = Pick<HostAnswer<unknown>, 'host' | 'brief' | 'error'>;

/** How far many hosts are: a line that changes on a terminal, else a line for each event, and of many hosts one for every tenth of them. */
export class FleetProgress {
  readonly #count: number;
  readonly #report: (text: string) => void;
  readonly #line = new ProgressLine(process.stderr);
  readonly #atWork = new Set<string>();
  #done = 0;
  #failed = 0;

  constructor(count: number, report: (text: string) => void) {
    this.#count = count;
    this.#report = report;
  }

  begins(host: string): void {
    this.#atWork.add(host);
    this.#draw();
  }

  /** One that failed has a line of its own in any case. */
  ends({ host, brief, error }: Ended): void {
    this.#atWork.delete(host);
    this.#done++;
    if (error !== undefined) {
      this.#failed++;
      this.say([error.message, ...error.next].join('  '));
    } else if (!process.stderr.isTTY && this.#count <= MOST_LINES) this.say(`${host}: ${brief}`);
    if (!process.stderr.isTTY && this.#count > MOST_LINES && this.#isTenth()) this.say(this.#summary());
    this.#draw();
  }

  /** A line that stays. */
  say(text: string): void {
    this.#line.clear();
    this.#report(text);
  }

  close(): void {
    this.#line.clear();
  }

  #isTenth(): boolean {
    const tenths = (done: number) => Math.floor((done * 10) / this.#count);
    return tenths(this.#done) > tenths(this.#done - 1);
  }

  #summary(): string {
    const failed = this.#failed > 0 ? `, ${this.#failed} failed` : '';
    return `${this.#done} of ${this.#count} hosts${failed}`;
  }

  #draw(): void {
    if (this.#atWork.size === 0) return;
    const [first, ...others] = this.#atWork;
    this.#line.show(`${this.#summary()}; at work: ${first}${others.length > 0 ? ` and ${others.length} more` : ''}`);
  }
}
