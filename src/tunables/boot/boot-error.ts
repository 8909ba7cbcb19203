import { HostError } from '../../errors.ts';

/** The boot configuration could not be changed; what was there before still boots. `code` is an errno name. */
export class BootError extends HostError {
  constructor(path: string, code: string, reason: string, options: { cause?: unknown } = {}) {
    super('change', path, code, options);
    this.message = `${path}: ${reason}`;
  }
}
