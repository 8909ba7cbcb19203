import { spawnSync } from 'node:child_process';
import { cpus, release, totalmem } from 'node:os';

/** One run of a command. CPU time is user and system, of its children too. */
export interface Figure {
  readonly wallMs: number;
  readonly cpuMs: number;
}

export interface Contender {
  readonly name: string;
  readonly argv: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** Runs the contenders in turn, A B C A B C …, so that what else the machine does meets them alike. The first round,
 *  which fills caches, does not count. */
export function runInTurn(contenders: readonly Contender[], rounds: number): ReadonlyMap<string, readonly Figure[]> {
  const figures = new Map<string, Figure[]>(contenders.map(({ name }) => [name, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const contender of contenders) {
      const figure = runOnce(contender);
      if (round > 0) figures.get(contender.name)?.push(figure);
    }
  }
  return figures;
}

/** Times as bash takes them from wait4(2), in milliseconds: those of the kernel, nothing of this process in them. */
function runOnce({ argv, environment }: Contender): Figure {
  const { stderr } = spawnSync('bash', ['-c', 'TIMEFORMAT="%R %U %S"; time "$@" > /dev/null 2>&1', 'bash', ...argv], {
    encoding: 'utf8',
    env: { ...process.env, ...environment, LC_ALL: 'C' },
  });
  const [wallS, userS, systemS] = stderr.trim().split(' ').map(Number) as [number, number, number];
  if (!(systemS >= 0)) throw new Error(`no times of ${argv.join(' ')}: ${stderr}`);
  return { wallMs: wallS * 1000, cpuMs: (userS + systemS) * 1000 };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}

/** `12.0 12.4 …`: every figure of a contender, in its order. */
export function listFigures(values: readonly number[]): string {
  return values.map((value) => value.toFixed(0)).join(' ');
}

/** One line, without names of people or places. */
export function describeMachine(): string {
  const [cpu] = cpus();
  const gib = Math.round(totalmem() / 2 ** 30);
  return `${cpus().length} CPUs (${cpu?.model ?? 'unknown'}), ${gib} GiB, Linux ${release()}, Node ${process.version}`;
}
