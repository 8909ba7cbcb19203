import { Duplex, type Readable, type Writable } from 'node:stream';

/** What a process reads and writes, as one stream. */
export function ofChild({ stdin, stdout }: { readonly stdin: Writable; readonly stdout: Readable }): Duplex {
  const stream = new Duplex({
    read: () => void stdout.resume(),
    write: (piece, _encoding, done) => void stdin.write(piece, () => done()),
    final: (done) => void stdin.end(() => done()),
  });
  stdout.on('data', (piece) => stream.push(piece) || stdout.pause());
  stdout.once('end', () => stream.push(null));
  // Closed at the other end: the end of its output says so.
  stdin.on('error', () => {});
  return stream;
}
