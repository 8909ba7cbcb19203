/** The lab cannot go on: what, where, and what to do next. Printed without a stack trace. */
export class LabError extends Error {
  readonly next: string | undefined;

  constructor(message: string, next?: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'LabError';
    this.next = next;
  }
}
