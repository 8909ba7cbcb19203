import { HostError } from '../../../../src/errors.ts';
import { LocalStateDirectory } from '../../../../src/host/local-state.ts';

/** Appends lines to `journal` in the given folder until it fails; prints how many there are and the errno. */
const state = new LocalStateDirectory(process.argv[2] as string);
const line = `${'x'.repeat(99)}\n`;
for (let lines = 0; lines < 1_000; lines++) {
  try {
    await state.append('journal', line, true);
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    const kept = await state.readText('journal');
    if (kept !== line.repeat(lines))
      throw new Error(`${kept?.length} bytes are left of ${lines} lines`, { cause: error });
    process.stdout.write(JSON.stringify({ lines, code: error.code }));
    break;
  }
}
