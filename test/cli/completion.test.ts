import { beforeAll, describe, expect, test } from 'vitest';
import { type CompletedCommand, writeCompletion } from '../../src/cli/completion.ts';
import { buildWhenStale, runShell } from './run-hft.ts';

beforeAll(buildWhenStale);

/** What bash offers after Tab at the end of the words. */
function completeInBash(words: readonly string[]): string[] {
  const quoted = words.map((word) => `'${word}'`).join(' ');
  const line = `source <(hft completion bash); COMP_WORDS=(${quoted}); COMP_CWORD=${words.length - 1}; _hft; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return runShell(line).stdout.trim().split('\n');
}

describe('bash', () => {
  test.each<[string[], string[]]>([
    [['hft', 'prof'], ['profile']],
    [
      ['hft', 'profile', ''],
      ['explain', 'list', 'schema', 'show', 'validate'],
    ],
    [
      ['hft', 'profile', 'show', 'col'],
      ['colo', 'colo-dpdk'],
    ],
    [['hft', 'profile', 'show', '--j'], ['--json']],
    [['hft', 'plan', '--profile', 'market'], ['market-data']],
    [
      ['hft', 'completion', ''],
      ['bash', 'zsh', 'fish'],
    ],
    [['hft', 'tune', '--no-p'], ['--no-persist']],
    [['hft', 'plan', '--snapshot', ''], ['']],
  ])('%j gives %j', (words, expected) => {
    expect(completeInBash(words)).toEqual(expected);
  });
});

/** Names and texts that a shell would take apart if they were not quoted. */
const hard: CompletedCommand[] = [
  {
    name: 'deep er most',
    summary: `it's "$HOME" \`id\` [x]: 50%`,
    flags: [{ name: 'mode', summary: "don't", takesValue: true, options: ['a', "b'c"] }],
    args: [{ name: 'profile', options: [] }],
  },
];

/** What zsh offers, with its own completion functions replaced by ones that print. */
function completeInZsh(words: readonly string[]): string[] {
  const script = `compdef() { :; }; _files() { :; }; compadd() { shift; print -rl -- "$@"; }
    _describe() { print -rl -- "\${(@P)@[-1]}"; }
    source <(hft completion zsh); words=(${words.map((word) => `"${word}"`).join(' ')}); CURRENT=${words.length}; _hft`;
  return runShell(`zsh -f -c '${script}'`).stdout.trim().split('\n');
}

const hasZsh = runShell('command -v zsh').exitCode === 0;

describe.runIf(hasZsh)('zsh', () => {
  test.each<[string[], string]>([
    [['hft', 'prof'], 'profile:Commands about profile'],
    [['hft', 'profile', ''], 'validate:Check a profile: every mistake with file, line and column'],
    [['hft', 'profile', 'show', ''], 'market-data'],
    [
      ['hft', 'plan', '--'],
      '--snapshot:Work on a captured machine, read-only: a folder with proc and sys in it, or a tar of one',
    ],
    [['hft', 'plan', '--profile', ''], 'colo'],
  ])('%j offers %s', (words, expected) => {
    expect(completeInZsh(words)).toContain(expected);
  });
});

describe('the scripts are right in their own shells', () => {
  test.each(['bash', 'zsh', 'fish'] as const)('%s', (shell) => {
    const script = writeCompletion(shell, 'hft', hard);
    const { stdout, stderr } = runShell(
      `if command -v ${shell} >/dev/null; then ${shell} -n <<'END_OF_SCRIPT' && echo right\n${script}\nEND_OF_SCRIPT\nelse echo right; fi`,
    );
    expect({ stdout, stderr }).toEqual({ stdout: 'right\n', stderr: '' });
  });
});
