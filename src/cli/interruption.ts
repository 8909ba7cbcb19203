/**
 * Ctrl-C stops a run before its next change, and the run is undone. A session that is cut (SIGHUP, a closed pipe) does
 * not stop it: half a change to the session's own interface is worse than a whole one that is guarded.
 */
export function watchInterruption(): AbortSignal {
  const controller = new AbortController();
  process.on('SIGINT', () => controller.abort());
  process.on('SIGTERM', () => controller.abort());
  process.on('SIGHUP', () => {});
  return controller.signal;
}

/** What only looks ends with the person who asked: Ctrl-C, an end of the session, an orderly kill. */
export function watchCancellation(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => controller.abort());
  return controller.signal;
}

/** The same for what ends elsewhere: who does not want to wait for that types Ctrl-C once more, and the process ends as any other. */
export function watchCancellationOnce(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => controller.abort());
  return controller.signal;
}
