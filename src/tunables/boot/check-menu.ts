import { type KernelArgument, pickArguments } from './arguments.ts';
import { BootError } from './boot-error.ts';
import type { Staged } from './staged.ts';

/** What one write asks of the next boot's command line. */
export interface WantedArguments {
  readonly names: readonly string[];
  readonly value: string | null;
}

/** COMMAND_LINE_SIZE of x86 and arm64, with the final NUL; what is longer is cut off in silence. */
const COMMAND_LINE_BYTES = 2048;

/**
 * Whether a new boot configuration may take the place of the old one: its default entry starts a kernel on the same
 * root, has every wanted argument, and fits into the kernel's command line. Throws BootError (EINVAL, E2BIG).
 */
export function checkNewCommandLine(
  path: string,
  before: Staged,
  after: Staged,
  wanted: readonly WantedArguments[],
): void {
  if (after.status !== 'known')
    throw new BootError(
      path,
      'EINVAL',
      `the new boot configuration has no usable default entry (${after.evidence}); kept the old one`,
    );
  const oldRoot = before.status === 'known' ? rootOf(before.arguments) : undefined;
  const newRoot = rootOf(after.arguments);
  if (oldRoot !== undefined && oldRoot !== newRoot) {
    throw new BootError(
      path,
      'EINVAL',
      `the new boot configuration has another root (${newRoot ?? 'none'} instead of ${oldRoot}); kept the old one. Run update-grub by hand and check it first.`,
    );
  }
  checkLength(path, after.commandLine);
  for (const { names, value } of wanted) {
    const found = pickArguments(after.arguments, names);
    if (found !== value) {
      throw new BootError(
        path,
        'EINVAL',
        `the default entry would have ${found ?? `no ${names.join(', ')}`} instead of ${value ?? `no ${names.join(', ')}`}; kept the old one`,
      );
    }
  }
}

/** Throws BootError (E2BIG) for a command line that the kernel would cut off. */
export function checkLength(path: string, commandLine: string): void {
  const lengthBytes = Buffer.byteLength(commandLine) + 1;
  if (lengthBytes > COMMAND_LINE_BYTES) {
    throw new BootError(
      path,
      'E2BIG',
      `the kernel's command line would have ${lengthBytes} bytes, and the kernel takes ${COMMAND_LINE_BYTES}; kept the old one`,
    );
  }
}

function rootOf(given: readonly KernelArgument[]): string | undefined {
  return given.filter(({ name }) => name === 'root').at(-1)?.value;
}
