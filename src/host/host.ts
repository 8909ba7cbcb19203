/**
 * The one door to a machine. A `HostReader` cannot change anything; only `Host` can, and only what has a local
 * journal implements `Host` (a snapshot or an SSH reader does not, so the compiler refuses to write there).
 */

/** What a command printed. A command that is not installed is a value, not an exception. */
export type QueryResult =
  | { readonly found: true; readonly exitCode: number; readonly stdout: string; readonly stderr: string }
  | { readonly found: false };

export interface HostReader {
  /** For messages: `localhost`, a host name, or the path of a snapshot. */
  readonly label: string;
  /** The whole text of a file, never capped; undefined when it does not exist.
   *  Throws HostError (code EACCES, EIO, EINVAL …) when it exists and cannot be read. */
  readText(path: string): Promise<string | undefined>;
  /** The sorted names in a directory; undefined when it does not exist. Throws HostError otherwise. */
  list(path: string): Promise<readonly string[] | undefined>;
  /** The target of a symbolic link as it is stored; undefined when there is no such link. */
  readLink(path: string): Promise<string | undefined>;
  /** Runs a command that changes nothing (ethtool -g eth0). Never through a shell. */
  query(argv: readonly string[]): Promise<QueryResult>;
  /** What `work` makes of this machine, worked out once. Only where every question is answered once for ever
   *  (rememberingReader); ask as `reader.remember?.(work) ?? work(reader)`. */
  remember?<T>(work: (reader: HostReader) => Promise<T>): Promise<T>;
}

/** A process that hft started and watches: what it prints comes while it runs. */
export interface Child {
  readonly pid: number;
  /** Standard output in the pieces in which it comes; ends when the process and all that it started have closed it. Leaving the
   *  loop early closes it, and the process's next write ends it (SIGPIPE). */
  readonly output: AsyncIterable<Buffer>;
  /** Settles when the process has ended and its output was read or closed. Never rejects. */
  readonly ended: Promise<ChildEnd>;
  /** Nothing happens when it has ended. */
  signal(name: 'SIGTERM' | 'SIGKILL'): void;
}

export interface ChildEnd {
  /** 128 + signal for one that a signal ended, as in a shell. */
  readonly exitCode: number;
  readonly stderr: string;
}

export interface Host extends HostReader {
  /** One write(2) of the text to an existing kernel file. Throws HostError. */
  writeText(path: string, text: string): Promise<void>;
  /** Replaces a regular file atomically and durably (temporary file, fsync, rename, fsync of the folder);
   *  makes missing parent folders. Keeps owner and mode of a file that is there unless `mode` is given. */
  replaceFile(path: string, text: string, mode?: number): Promise<void>;
  /** Removes a regular file durably; no error when it is not there. */
  removeFile(path: string): Promise<void>;
  /** Makes a folder (cgroup, mount point), no error when it is there. */
  makeFolder(path: string): Promise<void>;
  /** Removes an empty folder, no error when it is not there. Throws HostError (EBUSY, ENOTEMPTY). */
  removeFolder(path: string): Promise<void>;
  /** Runs a command that changes the machine. Exit codes prove nothing: the caller reads back. Never through a shell. */
  execute(argv: readonly string[], options?: { readonly input?: string }): Promise<QueryResult>;
  /** Starts a process that hft watches, in a process group of its own, so that Ctrl-C reaches hft alone; undefined when the
   *  program is not there. Throws HostError otherwise (EACCES). Never through a shell. */
  startChild(argv: readonly string[]): Promise<Child | undefined>;
  /** Starts a process that outlives hft, in a session of its own, without input and output. Never through a shell. */
  start(argv: readonly string[]): Promise<void>;
}
