import { gzipSync } from 'node:zlib';
import { HostError } from '../errors.ts';
import { replaceDurably } from './durable-file.ts';
import { MemoryTree } from './memory-tree.ts';
import type { RecordedCommand } from './recorded-command.ts';
import { formatRecordedCommand } from './recorded-command.ts';
import type { RecordedAnswer, Recording } from './recording.ts';
import type { Answer, SnapshotException } from './snapshot-exceptions.ts';
import { COMMANDS_FOLDER, EXCEPTIONS_FILE, formatExceptions } from './snapshot-exceptions.ts';
import { SnapshotReader } from './snapshot-reader.ts';
import { splitPath } from './snapshot-tree.ts';
import type { TarEntry } from './tar-entry.ts';
import { BadArchive } from './tar-entry.ts';
import { writeTar } from './tar-write.ts';

/** All of a snapshot is in one folder, so that unpacking it by hand makes no mess. */
const TOP = 'machine';
/** A snapshot may hold what only root can read. */
const SNAPSHOT_MODE = 0o600;
const LONGEST_PATH = 3_800;

/** Writes a recording as a tar.gz that openSnapshot answers from exactly as the machine did. Throws HostError. */
export async function writeSnapshot(recording: Recording, file: string): Promise<void> {
  replaceDurably(file, await packSnapshot(recording), SNAPSHOT_MODE);
}

/** The bytes of the tar.gz; the same recording gives the same bytes. */
export async function packSnapshot(recording: Recording): Promise<Buffer> {
  const { tree, entries } = plantFiles(recording);
  const exceptions = await findExceptions(recording, tree);
  const own = [
    toFile(EXCEPTIONS_FILE, formatExceptions({ label: recording.label, exceptions })),
    ...nameCommands(recording.commands).map(([name, text]) => toFile(`${COMMANDS_FOLDER}/${name}`, text)),
  ];
  const all = [...own, ...entries].map((entry) => ({ ...entry, path: `${TOP}/${entry.path}` }));
  const inOrder = all.sort((a, b) => (a.path < b.path ? -1 : 1));
  return gzipSync(writeTar([{ kind: 'folder', path: TOP }, ...inOrder]), { level: 9 });
}

function toFile(path: string, text: string): TarEntry {
  return { kind: 'file', path, content: Buffer.from(text) };
}

/** The file tree of a recording. What does not fit into one, in a machine that changed meanwhile, is left out. */
function plantFiles(recording: Recording): { tree: MemoryTree; entries: TarEntry[] } {
  const tree = new MemoryTree();
  const entries = new Map<string, TarEntry>();
  const plant = (entry: TarEntry | undefined) => {
    if (entry === undefined || !isStorable(entry)) return;
    try {
      tree.add(entry);
      entries.set(entry.path, entry);
    } catch (error) {
      if (!(error instanceof BadArchive)) throw error;
    }
  };
  for (const [place, target] of recording.links) plant({ kind: 'link', path: toTarPath(place), target });
  for (const answer of recording.answers) plant(toEntry(answer));
  return { tree, entries: [...entries.values()] };
}

function toTarPath(place: string): string {
  return splitPath(place).join('/');
}

function toEntry({ question, place, answer }: RecordedAnswer): TarEntry | undefined {
  if (place === undefined || 'error' in answer || answer.value === undefined) return undefined;
  const path = toTarPath(place);
  if (question === 'list') return { kind: 'folder', path };
  const text = answer.value as string;
  return question === 'link' ? { kind: 'link', path, target: text } : toFile(path, text);
}

function isStorable({ path, ...entry }: TarEntry): boolean {
  const target = 'target' in entry ? entry.target : '';
  const isOwn = path === '' || [COMMANDS_FOLDER, EXCEPTIONS_FILE].includes(path.split('/')[0] as string);
  const isText = path.isWellFormed() && target.isWellFormed() && !`${path}${target}`.includes('\0');
  return !isOwn && isText && target.length + path.length <= LONGEST_PATH && !path.split('/').includes('..');
}

/** Every recorded answer that the files alone would not give. */
async function findExceptions(recording: Recording, tree: MemoryTree): Promise<SnapshotException[]> {
  const reader = new SnapshotReader(recording.label, tree);
  const exceptions: SnapshotException[] = [];
  for (const { question, path, answer } of recording.answers) {
    const again = await askAgain(reader, { question, path, answer });
    // An empty folder is said in words too, because git does not keep it.
    const isEmptyFolder = question === 'list' && 'value' in answer && answer.value?.length === 0;
    if (isEmptyFolder || !isSame(again, answer)) exceptions.push({ question, path, answer });
  }
  return exceptions;
}

async function askAgain(reader: SnapshotReader, { question, path }: SnapshotException): Promise<Answer> {
  try {
    if (question === 'read') return { value: await reader.readText(path) };
    if (question === 'list') return { value: await reader.list(path) };
    return { value: await reader.readLink(path) };
  } catch (error) {
    if (error instanceof HostError) return { error: error.code };
    throw error;
  }
}

function isSame(a: Answer, b: Answer): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** File names that tell people what is inside; the file itself tells hft. */
function nameCommands(commands: readonly RecordedCommand[]): [name: string, text: string][] {
  const used = new Set<string>();
  return commands.map((command) => {
    const plain =
      command.argv
        .join(' ')
        .replace(/[^\w.+=@-]+/g, '_')
        .slice(0, 80) || '_';
    let name = `${plain}.txt`;
    for (let count = 2; used.has(name.toLowerCase()); count++) name = `${plain}~${count}.txt`;
    used.add(name.toLowerCase());
    return [name, formatRecordedCommand(command)];
  });
}
