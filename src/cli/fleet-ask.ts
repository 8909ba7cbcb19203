import { HftError } from '../errors.ts';
import { type HostAnswer, type HostFailure, worstExitCode } from '../fleet/answers.ts';
import type { Terminal } from '../views/terminal.ts';
import { FleetProgress } from './fleet-progress.ts';
import { addressOf, type ChosenHosts, type NamedHost } from './named-host.ts';

/** What a command makes of one host. */
export interface Answer<Json> {
  readonly json: Json;
  readonly text: (terminal: Terminal) => string;
  /** The same in a few words, without the name of the host. */
  readonly brief: string;
  /** What the host calls itself, so that texts that differ in nothing else are shown once. */
  readonly hostname?: string;
  readonly exitCode: number;
}

export interface FleetAnswers<Json> {
  readonly answers: readonly HostAnswer<Answer<Json>>[];
  readonly exitCode: number;
}

type ManyHosts = Extract<ChosenHosts, { is: 'many' }>;

/** The exit code of a bug in hft. */
const BUG = 70;
const NOT_ASKED = 3;

/**
 * Asks many hosts, some of them side by side. One that fails is told with a line, and the others go on. After Ctrl-C no more are asked, and
 * those at work are waited for; after a second one nobody is.
 */
export async function askFleet<Json>(
  { hosts, forks }: ManyHosts,
  ask: (host: NamedHost) => Promise<Answer<Json>>,
  report: (text: string) => void,
): Promise<FleetAnswers<Json>> {
  const progress = new FleetProgress(hosts.length, report);
  const interrupted = new AbortController();
  const interrupt = () => interrupted.abort();
  process.once('SIGINT', interrupt);
  const answers = await eachSideBySide(hosts, forks, async (host) => {
    if (interrupted.signal.aborted) return notAsked(host);
    progress.begins(host.name);
    const answer = await askOne(host, ask);
    progress.ends(answer);
    return answer;
  });
  process.removeListener('SIGINT', interrupt);
  progress.close();
  return { answers, exitCode: worstExitCode(answers.map(({ exitCode }) => exitCode)) };
}

/** Never more than `forks` at once; the results in the order of the items. `act` never rejects. */
export async function eachSideBySide<Item, Result>(
  items: readonly Item[],
  forks: number,
  act: (item: Item) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = new Array(items.length);
  const left = items.entries();
  const work = async () => {
    for (const [index, item] of left) results[index] = await act(item);
  };
  await Promise.all(Array.from({ length: Math.min(forks, items.length) }, work));
  return results;
}

async function askOne<Json>(
  host: NamedHost,
  ask: (host: NamedHost) => Promise<Answer<Json>>,
): Promise<HostAnswer<Answer<Json>>> {
  try {
    const result = await ask(host);
    return { host: host.name, result, error: undefined, brief: result.brief, exitCode: result.exitCode };
  } catch (error) {
    const failure = describeFailure(host, error);
    const exitCode = error instanceof HftError ? error.exitCode : BUG;
    return { host: host.name, result: undefined, error: failure, brief: briefOf(host, failure), exitCode };
  }
}

function notAsked({ name }: NamedHost): HostAnswer<never> {
  const error = { message: `${name}: not asked, since it was interrupted before.`, next: ['Nothing was done there.'] };
  return { host: name, result: undefined, error, brief: 'not asked', exitCode: NOT_ASKED };
}

/** The name that was given is in front, once, whatever address it stands for. */
export function describeFailure(host: NamedHost, error: unknown): HostFailure {
  const address = `${addressOf(host)}: `;
  const text = error instanceof Error ? error.message : String(error);
  const told = [`${host.name}: `, address].reduce(
    (rest, start) => (rest.startsWith(start) ? rest.slice(start.length) : rest),
    text,
  );
  if (error instanceof HftError) return { message: `${host.name}: ${told}`, next: error.next };
  const stack = error instanceof Error ? (error.stack ?? text) : text;
  return {
    message: `${host.name}: this is a bug in hft: ${told}`,
    next: ['Please report it with the lines below.', stack],
  };
}

/** Hosts that failed in the same way are together. */
export function briefOf({ name }: NamedHost, { message }: HostFailure): string {
  return (message.split('\n')[0] as string).slice(name.length + 2).replace(/\.$/, '');
}
