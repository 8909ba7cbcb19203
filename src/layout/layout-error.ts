import { HftError } from '../errors.ts';

/** A key of the profile's `layout:` part. */
export type LayoutKey = 'nic' | 'housekeeping' | 'irq' | 'isolated' | 'smt';

/** A layout that this machine cannot have. Exit 2. `key` tells where in the profile, below `layout`. */
export class LayoutError extends HftError {
  readonly key: LayoutKey;

  constructor(key: LayoutKey, message: string, next: readonly string[]) {
    super(`layout.${key}: ${message}`, { exitCode: 2, next });
    this.key = key;
  }
}
