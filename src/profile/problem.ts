import { HftError } from '../errors.ts';

/** A place in a YAML file; line and column count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** One mistake in a profile. */
export interface Problem {
  readonly place: Place;
  /** What is wrong, what was expected, what is there: one sentence, one line. */
  readonly message: string;
  /** What to write instead. */
  readonly hint?: string;
}

/** More than these are not shown: the first ones usually explain the others. */
const MOST_SHOWN = 20;

/** All the mistakes of a profile and of the files it extends. Exit 2. `where` is the place of the first. */
export class InvalidProfile extends HftError {
  readonly where: string;
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    const files = [...new Set(problems.map(({ place }) => place.file))];
    const sorted = files.flatMap((file) => problems.filter(({ place }) => place.file === file).sort(comparePlaces));
    super(renderProblems(sorted));
    this.problems = sorted;
    this.where = printPlace((sorted[0] as Problem).place);
  }
}

/** `profiles/colo.yaml:14:15`, which editors and terminals make a link of. */
export function printPlace({ file, line, column }: Place): string {
  return `${file}:${line}:${column}`;
}

function renderProblems(problems: readonly Problem[]): string {
  const lines = problems.slice(0, MOST_SHOWN).flatMap(({ place, message, hint }) => {
    const line = `${printPlace(place)}  ${message}`;
    return hint === undefined ? [line] : [line, `  ${hint}`];
  });
  if (problems.length > MOST_SHOWN) lines.push(`… and ${problems.length - MOST_SHOWN} more.`);
  return lines.join('\n');
}

/** Within one file. */
function comparePlaces(left: Problem, right: Problem): number {
  return left.place.line - right.place.line || left.place.column - right.place.column;
}
