import type { SshOptions, SshResult } from '../../lab/ssh.ts';

/** Where the contenders run: a machine of the lab, or this one. */
export interface Place {
  /** Where the rounds and what they need lie there. */
  readonly folder: string;
  /** What the machine is, for the heading. */
  readonly kind: string;
  /** Runs a shell command as root. Throws on an exit code other than 0 unless `allowFail`. */
  shell(command: string, options?: SshOptions): Promise<SshResult>;
  copyIn(localPath: string, path: string): Promise<void>;
  /** hft's package of this version, tuned and ansible-core; tuned is not running afterwards. */
  install(): Promise<void>;
  startTuned(): Promise<void>;
  /** What rounds.sh prints when it is run with these arguments. */
  race(rounds: number, contenders: readonly string[]): Promise<string>;
  /** Ends what was started; what was set is set back by the rounds themselves. */
  leave(): Promise<void>;
}
