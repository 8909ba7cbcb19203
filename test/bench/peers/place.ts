import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { median } from '../measure.ts';

/** Where a peer and hft-probe run, in turns or together. */
export interface Place {
  readonly scratch: string;
  /** What is measured. */
  readonly cpu: number;
  /** Everything else; the other end of a connection. */
  readonly control: number;
}

/** Prints the median of the rounds and each of them. */
export function say(name: string, values: readonly number[], digits = 1): void {
  const all = values.map((value) => value.toFixed(digits)).join(' ');
  console.log(`  ${name.padEnd(56)} ${median(values).toFixed(digits).padStart(9)}   ${all}`);
}

/** Prints whether what is wanted came out. */
export function judge(what: string, value: string, isMet: boolean): boolean {
  console.log(`  ${what}: ${value}: ${isMet ? 'as wanted' : 'MISSED'}`);
  return isMet;
}

/** Compiles a program that lies beside this file. */
export function compile(name: string, scratch: string): string {
  const target = join(scratch, name);
  execFileSync('cc', ['-std=c11', '-D_GNU_SOURCE', '-O2', join(import.meta.dirname, `${name}.c`), '-o', target]);
  return target;
}

/** Starts a program; what it printed when it has ended. Throws when it ends badly. */
export async function start(argv: readonly string[]): Promise<string> {
  const [program, ...parameters] = argv as [string, ...string[]];
  const child = spawn(program, parameters, { stdio: ['ignore', 'pipe', 'inherit'] });
  const pieces: Buffer[] = [];
  child.stdout.on('data', (piece: Buffer) => pieces.push(piece));
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${argv.join(' ')} ended with ${code}`);
  return Buffer.concat(pieces).toString('latin1');
}
