import { HostError, UsageError } from '../errors.ts';
import type { HostReader, QueryResult } from './host.ts';
import { parseRecordedCommand } from './recorded-command.ts';
import type { Question, SnapshotException } from './snapshot-exceptions.ts';
import { COMMANDS_FOLDER, EXCEPTIONS_FILE, giveAnswer, parseExceptions } from './snapshot-exceptions.ts';
import type { TreeFolder } from './snapshot-tree.ts';
import { PathResolver } from './snapshot-tree.ts';

/** A captured machine. `tree` is the captured root directory; throws UsageError when hft's own files in it are broken. */
export class SnapshotReader implements HostReader {
  readonly label: string;
  readonly #paths: PathResolver;
  readonly #exceptions: Readonly<Record<Question, ReadonlyMap<string, SnapshotException>>>;
  #answers: ReadonlyMap<string, QueryResult | HostError> | undefined;

  constructor(label: string, tree: TreeFolder) {
    this.label = label;
    this.#paths = new PathResolver(hideOwnFiles(tree));
    this.#exceptions = readExceptions(label, tree);
    this.#readCommands = () => readCommands(label, tree);
  }

  readonly #readCommands: () => ReadonlyMap<string, QueryResult | HostError>;

  async readText(path: string): Promise<string | undefined> {
    const exception = this.#exceptions.read.get(path);
    if (exception !== undefined) return giveAnswer(exception) as string | undefined;
    const node = this.#paths.resolve(path, 'follow');
    if (node?.kind === 'folder') throw new HostError('read', path, 'EISDIR');
    return node?.kind === 'file' ? node.readText() : undefined;
  }

  async list(path: string): Promise<readonly string[] | undefined> {
    const exception = this.#exceptions.list.get(path);
    if (exception !== undefined) return giveAnswer(exception) as readonly string[] | undefined;
    const node = this.#paths.resolve(path, 'follow');
    return node?.kind === 'folder' ? [...node.listNames()].sort() : undefined;
  }

  async readLink(path: string): Promise<string | undefined> {
    const exception = this.#exceptions.link.get(path);
    if (exception !== undefined) return giveAnswer(exception) as string | undefined;
    const node = this.#paths.resolve(path, 'stop');
    return node?.kind === 'link' ? node.target : undefined;
  }

  async query(argv: readonly string[]): Promise<QueryResult> {
    this.#answers ??= this.#readCommands();
    const answer = this.#answers.get(JSON.stringify(argv));
    if (answer instanceof HostError) throw answer;
    return answer ?? { found: false };
  }
}

/** The machine itself has neither /commands nor /hft-snapshot.jsonl. */
function hideOwnFiles(tree: TreeFolder): TreeFolder {
  const own = [COMMANDS_FOLDER, EXCEPTIONS_FILE];
  return {
    kind: 'folder',
    listNames: () => tree.listNames().filter((name) => !own.includes(name)),
    find: (name) => (own.includes(name) ? undefined : tree.find(name)),
  };
}

/** By question, then by path. */
function readExceptions(label: string, tree: TreeFolder): Record<Question, Map<string, SnapshotException>> {
  const found = { read: new Map(), list: new Map(), link: new Map() };
  const node = tree.find(EXCEPTIONS_FILE);
  if (node?.kind !== 'file') return found;
  const parsed = parseExceptions(node.readText());
  if ('mistake' in parsed) throw brokenFile(label, EXCEPTIONS_FILE, parsed.mistake);
  for (const each of parsed.exceptions) found[each.question].set(each.path, each);
  return found;
}

function readCommands(label: string, tree: TreeFolder): Map<string, QueryResult | HostError> {
  const answers = new Map<string, QueryResult | HostError>();
  const folder = tree.find(COMMANDS_FOLDER);
  if (folder?.kind !== 'folder') return answers;
  for (const name of folder.listNames()) {
    const node = folder.find(name);
    if (node?.kind !== 'file') continue;
    const parsed = parseRecordedCommand(node.readText());
    if ('mistake' in parsed) throw brokenFile(label, `${COMMANDS_FOLDER}/${name}`, parsed.mistake);
    answers.set(JSON.stringify(parsed.argv), parsed.answer);
  }
  return answers;
}

function brokenFile(label: string, name: string, mistake: string): UsageError {
  return new UsageError(`${label}: ${name}: ${mistake}`, {
    next: ['Make the snapshot anew with `hft snapshot FILE`.'],
  });
}
