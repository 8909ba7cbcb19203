import type { Duplex, Readable } from 'node:stream';

/** Where `ssh` would be told to go, and what is said beside the user's own configuration. */
export interface SshDestination {
  /** What messages call the host; its name unless it is given. */
  readonly label?: string;
  /** As `ssh` takes it: a name of ssh_config(5), a host name or an address. */
  readonly name: string;
  readonly user?: string | undefined;
  readonly port?: number | undefined;
  readonly identityFile?: string | undefined;
  /** Instead of ~/.ssh/config and /etc/ssh/ssh_config. */
  readonly configFile?: string | undefined;
}

export interface RemoteResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A session with a host whose key is the known one. Nothing but an sshd is needed there, not even its sftp subsystem: a file goes through standard input. */
export interface SshSession {
  /** `user@host`, as it came to be. */
  readonly login: string;
  /** Runs a line of the login shell there. Throws SshError when the connection is lost. */
  run(command: string, input?: string | Readable): Promise<RemoteResult>;
  /** A connection from that host to a port of its own. Throws SshError where sshd forwards nothing. */
  dial(port: number): Promise<Duplex>;
  close(): void;
}
