/** One line on a terminal that says how far something is, overwritten in place; nothing where the output is no terminal. */
export class ProgressLine {
  readonly #output: NodeJS.WriteStream;
  #shownAtMs = 0;
  #isShown = false;

  constructor(output: NodeJS.WriteStream) {
    this.#output = output;
  }

  /** At most four times a second: drawing takes CPU from what is measured. */
  show(text: string): void {
    if (!this.#output.isTTY || Date.now() - this.#shownAtMs < 250) return;
    this.#shownAtMs = Date.now();
    this.#isShown = true;
    this.#output.write(`\r${text.slice(0, (this.#output.columns ?? 80) - 1)}\u001B[K`);
  }

  clear(): void {
    if (this.#isShown) this.#output.write('\r\u001B[K');
    this.#isShown = false;
  }
}
