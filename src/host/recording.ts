import { HostError } from '../errors.ts';
import type { HostReader, QueryResult } from './host.ts';
import type { RecordedCommand } from './recorded-command.ts';
import type { Answer, Question, SnapshotException } from './snapshot-exceptions.ts';
import { splitPath } from './snapshot-tree.ts';

/** One question to the files of a machine and its answer. */
export interface RecordedAnswer extends SnapshotException {
  /** Where the path leads when links are followed (for a link: up to the link); undefined when that is unknown. */
  readonly place: string | undefined;
}

/** What a machine was asked and what it answered, in an order that depends on nothing but that. */
export interface Recording {
  readonly label: string;
  readonly answers: readonly RecordedAnswer[];
  /** The symbolic links on the way, target by place. */
  readonly links: ReadonlyMap<string, string>;
  readonly commands: readonly RecordedCommand[];
}

const MOST_LINKS = 40;

/** Magic links of proc(5) that lead to whoever reads. A snapshot keeps what is behind them under these names. */
const OF_THE_READER = new Set(['/proc/self', '/proc/thread-self']);

/**
 * Passes every question on and remembers it with its answer, errors included. Asked twice, the last answer counts.
 * It also asks for the links on the way of every path, so that the snapshot is a file tree as the machine has it.
 */
export class RecordingHost implements HostReader {
  readonly label: string;
  readonly #reader: HostReader;
  readonly #answers = new Map<string, RecordedAnswer>();
  readonly #commands = new Map<string, RecordedCommand>();
  /** undefined: no link, or nothing that can be asked. */
  readonly #links = new Map<string, string | undefined>();

  constructor(reader: HostReader) {
    this.label = reader.label;
    this.#reader = reader;
  }

  readText(path: string): Promise<string | undefined> {
    return this.#ask('read', path, () => this.#reader.readText(path));
  }

  list(path: string): Promise<readonly string[] | undefined> {
    return this.#ask('list', path, () => this.#reader.list(path));
  }

  readLink(path: string): Promise<string | undefined> {
    return this.#ask('link', path, () => this.#reader.readLink(path));
  }

  async query(argv: readonly string[]): Promise<QueryResult> {
    const record = (answer: QueryResult | HostError) =>
      this.#commands.set(JSON.stringify(argv), { argv: [...argv], answer });
    try {
      const answer = await this.#reader.query(argv);
      record(answer);
      return answer;
    } catch (error) {
      if (error instanceof HostError) record(error);
      throw error;
    }
  }

  finish(): Recording {
    const inOrder = <T>(map: ReadonlyMap<string, T>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1));
    const links = inOrder(this.#links).filter((entry): entry is [string, string] => entry[1] !== undefined);
    return {
      label: this.label,
      answers: inOrder(this.#answers).map(([, answer]) => answer),
      links: new Map(links),
      commands: inOrder(this.#commands).map(([, command]) => command),
    };
  }

  async #ask<T extends Extract<Answer, { value: unknown }>['value']>(
    question: Question,
    path: string,
    ask: () => Promise<T>,
  ): Promise<T> {
    try {
      const value = await ask();
      await this.#record({ question, path, answer: { value } });
      return value;
    } catch (error) {
      if (error instanceof HostError) await this.#record({ question, path, answer: { error: error.code } });
      throw error;
    }
  }

  async #record(exception: SnapshotException): Promise<void> {
    const place = await this.#findPlace(exception.path, exception.question === 'link' ? 'stop' : 'follow');
    this.#answers.set(`${exception.path}\0${exception.question}`, { ...exception, place });
  }

  /** The path without links and `..`, path_resolution(7), whether or not something is there. */
  async #findPlace(path: string, atLink: 'follow' | 'stop'): Promise<string | undefined> {
    const pending = splitPath(path).reverse();
    let place: string[] = [];
    for (let links = 0; pending.length > 0; ) {
      const name = pending.pop() as string;
      if (name === '..') {
        place.pop();
        continue;
      }
      const next = `/${[...place, name].join('/')}`;
      const target = pending.length > 0 || atLink === 'follow' ? await this.#linkAt(next) : undefined;
      if (target === undefined) {
        place.push(name);
        continue;
      }
      if (++links > MOST_LINKS) return undefined;
      if (target.startsWith('/')) place = [];
      pending.push(...splitPath(target).reverse());
    }
    return `/${place.join('/')}`;
  }

  async #linkAt(place: string): Promise<string | undefined> {
    if (OF_THE_READER.has(place)) return undefined;
    if (!this.#links.has(place)) {
      const target = await this.#reader.readLink(place).catch((error: unknown) => {
        // What cannot be asked is stored under the path that was asked for.
        if (error instanceof HostError) return undefined;
        throw error;
      });
      this.#links.set(place, target);
    }
    return this.#links.get(place);
  }
}
