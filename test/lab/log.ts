/** Prints what the lab is doing; results of parts go to stdout, this goes to stderr. */
export function say(text: string): void {
  process.stderr.write(`lab: ${text}\n`);
}

/** Does one step and prints how long it took. */
export async function timeStep<T>(name: string, work: () => Promise<T>): Promise<T> {
  const startMs = performance.now();
  const result = await work();
  say(`${name}: ${((performance.now() - startMs) / 1000).toFixed(1)} s`);
  return result;
}
