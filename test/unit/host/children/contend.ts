import fs from 'node:fs';
import path from 'node:path';
import { LocalStateDirectory } from '../../../../src/host/local-state.ts';
import { LockHeld } from '../../../../src/host/lock-record.ts';

/**
 * Takes and releases the lock of each folder that comes as a line on standard input, at the same time as its siblings.
 * While it has the lock it holds a folder that only one can make. Prints one line per folder: won, held or the mistake.
 */
async function contend(place: string): Promise<string> {
  const inside = path.join(place, 'inside');
  try {
    const lock = await new LocalStateDirectory(place).lock('contend');
    fs.mkdirSync(inside);
    await new Promise((resolve) => setTimeout(resolve, 2));
    fs.rmdirSync(inside);
    await lock.release();
    return 'won';
  } catch (error) {
    return error instanceof LockHeld ? 'held' : String(error);
  }
}

let rest = '';
process.stdin.setEncoding('utf8');
process.stdout.write('ready\n');
for await (const chunk of process.stdin) {
  const lines = `${rest}${chunk}`.split('\n');
  rest = lines.pop() as string;
  for (const place of lines) process.stdout.write(`${await contend(place)}\n`);
}
