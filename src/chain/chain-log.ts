import type { StateDirectory } from '../host/state-directory.ts';
import {
  type ChainCheck,
  type ChainEnd,
  type ChainRecord,
  chainLine,
  EMPTY_CHAIN,
  followChain,
  hashOf,
  parseRecord,
  type SeeLine,
  START_OF_CHAIN,
} from './chain.ts';

/** Where the files of a log are: `FOLDER/NAME-000001.jsonl`, and so on. The chain runs through all of them. */
export interface ChainPlace {
  readonly folder: string;
  readonly name: string;
  /** A file is not added to beyond it. Nothing is ever taken away. */
  readonly mostBytes: number;
  /** Of its files; everybody may read them when left out. */
  readonly mode?: number;
}

/** Where the next line goes. */
interface Position {
  readonly number: number;
  readonly bytes: number;
  readonly end: ChainEnd;
}

/** A chained log in a state directory. Whoever opens it sees to it that nobody else writes. */
export class ChainLog {
  readonly #state: StateDirectory;
  readonly #place: ChainPlace;
  #at: Position;
  /** What the last write left on the disk nobody knows. */
  #isUncertain = false;

  private constructor(state: StateDirectory, place: ChainPlace, at: Position) {
    this.#state = state;
    this.#place = place;
    this.#at = at;
  }

  /** Carries on where the log ends, without following what came before. */
  static async open(state: StateDirectory, place: ChainPlace): Promise<ChainLog> {
    return new ChainLog(state, place, await findPosition(state, place));
  }

  get end(): ChainEnd {
    return this.#at.end;
  }

  /** Returns when the line is on disk. Throws HostError: then it is not, or nobody knows, and the next line carries on from what is there. */
  async write(record: ChainRecord): Promise<void> {
    if (this.#isUncertain) this.#at = await findPosition(this.#state, this.#place);
    this.#isUncertain = true;
    const { line, end } = chainLine(this.#at.end, record);
    const bytes = Buffer.byteLength(line);
    const { mostBytes, mode } = this.#place;
    const isFull = this.#at.bytes > 0 && this.#at.bytes + bytes > mostBytes;
    const file = isFull ? { number: this.#at.number + 1, bytes: 0 } : this.#at;
    await this.#state.append(pathOf(this.#place, file.number), line, true, mode);
    this.#at = { number: file.number, bytes: file.bytes + bytes, end };
    this.#isUncertain = false;
  }
}

/** One file after the other: a log of years is never in memory. Ends at the first break. */
export async function followFiles(state: StateDirectory, place: ChainPlace, see?: SeeLine): Promise<ChainCheck> {
  let check = START_OF_CHAIN;
  for (const number of await listNumbers(state, place)) {
    const name = nameOf(place, number);
    check = followChain(check, { name, text: await readFile(state, `${place.folder}/${name}`) }, see);
    if (check.broken !== undefined) break;
  }
  return check;
}

/** After torn bytes the log goes on in another file. */
async function findPosition(state: StateDirectory, place: ChainPlace): Promise<Position> {
  const numbers = await listNumbers(state, place);
  const last = numbers.at(-1) ?? 1;
  let first: { readonly bytes: number; readonly isTorn: boolean } | undefined;
  for (const number of numbers.toReversed()) {
    const text = await readFile(state, pathOf(place, number));
    first ??= { bytes: Buffer.byteLength(text), isTorn: text !== '' && !text.endsWith('\n') };
    const end = endOf(text);
    if (end === undefined) continue;
    return { number: last + Number(first.isTorn), bytes: first.isTorn ? 0 : first.bytes, end };
  }
  return { number: last + Number(first?.isTorn === true), bytes: 0, end: EMPTY_CHAIN };
}

/** undefined: there is no whole line. A line that is none has the number that it should have. */
function endOf(text: string): ChainEnd | undefined {
  const lines = text.split('\n').slice(0, -1);
  const last = lines.at(-1);
  if (last === undefined) return undefined;
  const hash = hashOf(`${last}\n`);
  for (const [after, line] of lines.toReversed().entries()) {
    const seq = parseRecord(line)?.seq;
    if (typeof seq === 'number') return { seq: seq + after, hash };
  }
  return { seq: lines.length, hash };
}

/** Gone between the list and the look: as if it had been empty. */
async function readFile(state: StateDirectory, path: string): Promise<string> {
  return (await state.readText(path)) ?? '';
}

async function listNumbers(state: StateDirectory, { folder, name }: ChainPlace): Promise<readonly number[]> {
  const pattern = new RegExp(`^${name}-(?<number>\\d{6,})\\.jsonl$`);
  const numbers = (await state.list(folder)).flatMap((each) => pattern.exec(each)?.groups?.number ?? []);
  return numbers.map(Number).sort((left, right) => left - right);
}

function nameOf({ name }: ChainPlace, number: number): string {
  return `${name}-${String(number).padStart(6, '0')}.jsonl`;
}

function pathOf(place: ChainPlace, number: number): string {
  return `${place.folder}/${nameOf(place, number)}`;
}
