import { LocalStateDirectory } from '../../../../src/host/local-state.ts';

/** Takes the lock of the given folder, says so and keeps it until it is killed. */
await new LocalStateDirectory(process.argv[2] as string).lock('tune --profile colo');
process.stdout.write('holding\n');
setInterval(() => {}, 60_000);
