/** Where hft keeps its own state (journal, baselines, the profile in force), default /var/lib/hft. */
export interface StateDirectory {
  readonly path: string;
  /** The names in a folder of the state directory, sorted; empty when there is none. */
  list(folder: string): Promise<readonly string[]>;
  /** undefined when there is no such file. */
  readText(name: string): Promise<string | undefined>;
  /** Appends to a file, making it when needed; everybody may read one that is made unless `mode` says otherwise. When
   *  `durable`, returns only after fsync (of the file, and of the folder when the file is new). Throws HostError (ENOSPC,
   *  EROFS, EACCES …); a short write counts as failed. */
  append(name: string, text: string, durable: boolean, mode?: number): Promise<void>;
  /** Replaces a file atomically and durably. Everybody may read it unless `mode` says otherwise. */
  replace(name: string, text: string, mode?: number): Promise<void>;
  remove(name: string): Promise<void>;
  /** Takes the one lock that every command which changes the machine holds. Throws LockHeld with the holder.
   *  A lock left by a dead process or an earlier boot is taken over. With `folder` it is the lock of that folder, which has
   *  nothing to do with the machine. */
  lock(purpose: string, folder?: string): Promise<Lock>;
}

export interface Lock {
  release(): Promise<void>;
}
