import { HftError } from '../errors.ts';
import { InvalidProfile, printPlace } from '../profile/problem.ts';
import { asUsageError } from './parse-error.ts';

/** The exit code of a bug in hft. */
const BUG = 70;

interface ErrorReport {
  readonly message: string;
  /** `file:line:col`, when the error has a place. */
  readonly where?: string;
  readonly problems?: readonly { readonly where: string; readonly message: string; readonly hint?: string }[];
  readonly next: readonly string[];
  readonly exitCode: number;
}

/** Shows an error as people (stderr) or programs (stdout, with --json) want it, and gives the exit code. */
export function reportError(error: unknown, argv: readonly string[]): number {
  const asked = getExitCode(error);
  if (asked !== undefined) return asked;
  const known = error instanceof HftError ? error : asUsageError(error, argv);
  const report = known === undefined ? describeBug(error) : describeError(known);
  if (wantsJson(argv)) process.stdout.write(`${JSON.stringify({ error: report }, null, 2)}\n`);
  else process.stderr.write(`${renderError(report)}\n`);
  if (known === undefined) process.stderr.write(`\n${error instanceof Error ? error.stack : String(error)}\n`);
  return report.exitCode;
}

function describeError(error: HftError): ErrorReport {
  const { message, next, exitCode } = error;
  const where = 'where' in error && typeof error.where === 'string' ? { where: error.where } : {};
  return { message, ...where, ...listProblems(error), next, exitCode };
}

/** All the mistakes of a profile, each with its place. */
function listProblems(error: HftError): Pick<ErrorReport, 'problems'> {
  if (!(error instanceof InvalidProfile)) return {};
  return {
    problems: error.problems.map(({ place, message, hint }) => ({
      where: printPlace(place),
      message,
      ...(hint && { hint }),
    })),
  };
}

function describeBug(error: unknown): ErrorReport {
  return {
    message: `This is a bug in hft: ${error instanceof Error ? error.message : String(error)}`,
    next: [
      'Please report it with the command you typed, the lines below, and what `hft --version` and `uname -a` print.',
    ],
    exitCode: BUG,
  };
}

function renderError(report: ErrorReport): string {
  return [report.message, ...report.next.map((step) => `  ${step}`)].join('\n');
}

/** `this.exit(n)` of oclif throws; it is no error. */
function getExitCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('code' in error) || error.code !== 'EEXIT') return undefined;
  return (error as { oclif?: { exit?: number } }).oclif?.exit ?? 0;
}

function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return (end === -1 ? argv : argv.slice(0, end)).includes('--json');
}
