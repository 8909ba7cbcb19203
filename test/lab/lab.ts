import { spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { buildBackportsDisk } from './backports-rt.ts';
import { createTally } from './check.ts';
import { createGuest, type Guest, openGuest, removeGuest } from './guest.ts';
import { buildImage, findImage } from './image.ts';
import { allKernels, isKernel, type Kernel, kernels } from './kernels.ts';
import { LabError } from './lab-error.ts';
import { say, timeStep } from './log.ts';
import { isNicModel, listAvailableNics, type NicModel, nicModels } from './machine.ts';
import { type GuestPlaces, type LabPlaces, locateGuest, locateLab } from './places.ts';
import { listSshOptions } from './ssh.ts';
import type { State } from './state/parse.ts';
import { captureState, diffStates, printDifference } from './state.ts';
import { loadParts, tellStory } from './story.ts';

const usage = `The virtual lab: hft on real kernels.

  lab.ts build                    build the disk image (once; root)
  lab.ts up [--kernel K]          build if needed, boot the guest and leave it up
  lab.ts ssh [COMMAND...]         a command in the guest, or a shell
  lab.ts run [PART...]            run parts on the guest; without PART the whole story on fresh guests, stock and rt
  lab.ts reset                    throw the guest's disk away and boot a fresh one
  lab.ts state FILE               write the guest's whole readable state to a JSON file
  lab.ts diff FILE FILE           what differs between two such files, counters aside; exit 1 if anything does
  lab.ts status                   what is built and what runs
  lab.ts down                     end the guest and remove its disk

  --kernel K                      ${allKernels.join(', ')}; default stock
  --nics LIST                     of ${nicModels.join(',')}; default all that this QEMU has
  --guest NAME                    another guest beside the first; default main (HFT_LAB_GUEST)

Everything is kept in HFT_LAB_DIR, by default .lab in the repository. See test/lab/README.md.
`;

interface Wanted {
  readonly kernel: Kernel | undefined;
  readonly nics: readonly NicModel[] | undefined;
}

interface Lab {
  readonly lab: LabPlaces;
  readonly places: GuestPlaces;
  readonly wanted: Wanted;
}

const commands: Readonly<Record<string, (lab: Lab, args: readonly string[]) => Promise<number>>> = {
  build: async ({ lab }) => {
    await buildImage(lab);
    return 0;
  },
  up: async (lab) => {
    await bringUp(lab);
    return 0;
  },
  down: async ({ places }) => {
    await removeGuest(places);
    return 0;
  },
  reset: async (lab) => {
    await bootFresh(lab, await readKernel(lab));
    return 0;
  },
  ssh: openShell,
  run: runParts,
  state: writeState,
  diff: printDiff,
  status: printStatus,
};

/** The running guest, or a fresh one; one that was switched off is started on its disk. */
async function bringUp(lab: Lab): Promise<Guest> {
  const guest = await openGuest(lab.places);
  const other = lab.wanted.kernel !== undefined && lab.wanted.kernel !== guest?.record.kernel;
  if (guest === undefined || other || lab.wanted.nics !== undefined)
    return bootFresh(lab, lab.wanted.kernel ?? 'stock');
  if ((await guest.isRunning()) && (await guest.ssh('true', { allowFail: true })).code === 0) return guest;
  if (!(await guest.isRunning())) await guest.start();
  await timeStep('boot', () => guest.waitBoot());
  return guest;
}

async function bootFresh({ lab, places, wanted }: Lab, kernel: Kernel): Promise<Guest> {
  const image = await buildImage(lab);
  const nics = wanted.nics ?? (await listAvailableNics());
  if (!nics.includes('igb') && wanted.nics === undefined)
    say('this QEMU has no igb: parts about it have less to look at');
  if (kernel === 'backports-rt') await buildBackportsDisk(lab, image);
  const guest = await createGuest(places, image, { kernel, nics });
  await timeStep(`boot of ${kernel}`, () => guest.waitBoot());
  return guest;
}

async function readKernel({ places, wanted }: Lab): Promise<Kernel> {
  return wanted.kernel ?? (await openGuest(places))?.record.kernel ?? 'stock';
}

async function openShell({ places }: Lab, args: readonly string[]): Promise<number> {
  const guest = await openGuest(places);
  if (guest === undefined) throw new LabError('There is no guest.', 'lab.ts up');
  const { sshPort, key } = guest.record;
  const options = listSshOptions({ port: sshPort, key, control: places.sockets.ssh });
  const terminal = args.length === 0 ? ['-t'] : [];
  const child = spawn('ssh', [...options, ...terminal, '-p', String(sshPort), 'root@127.0.0.1', ...args], {
    stdio: 'inherit',
  });
  return new Promise((resolve) => child.on('close', (code) => resolve(code ?? 255)));
}

async function runParts(lab: Lab, ids: readonly string[]): Promise<number> {
  const parts = await loadParts(ids);
  const tally = createTally((line) => process.stdout.write(`${line}\n`));
  if (ids.length > 0) {
    await tellStory(parts, await bringUp(lab), tally);
  } else {
    const chosen: readonly Kernel[] = lab.wanted.kernel === undefined ? kernels : [lab.wanted.kernel];
    for (const kernel of chosen) await tellStory(parts, await bootFresh(lab, kernel), tally);
  }
  const { passed, failed } = tally.counts();
  process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
  return failed === 0 && passed > 0 ? 0 : 1;
}

async function writeState(lab: Lab, [file]: readonly string[]): Promise<number> {
  if (file === undefined) throw new LabError('Which file?', 'lab.ts state FILE');
  await writeFile(file, `${JSON.stringify(await captureState(await bringUp(lab)), null, 1)}\n`);
  return 0;
}

async function printDiff(_lab: Lab, [before, after]: readonly string[]): Promise<number> {
  if (before === undefined || after === undefined) throw new LabError('Which files?', 'lab.ts diff BEFORE AFTER');
  const read = async (file: string) => JSON.parse(await readFile(file, 'utf8')) as State;
  const differences = diffStates(await read(before), await read(after));
  for (const difference of differences) process.stdout.write(`${printDifference(difference)}\n`);
  return differences.length === 0 ? 0 : 1;
}

async function printStatus({ lab, places }: Lab): Promise<number> {
  const image = await findImage(lab);
  process.stdout.write(`image  ${image?.folder ?? 'not built'}\n`);
  const guest = await openGuest(places);
  if (guest === undefined) {
    process.stdout.write('guest  none\n');
    return 1;
  }
  const { kernel, nics, sshPort, key } = guest.record;
  const state = (await guest.isRunning()) ? 'running' : 'off';
  process.stdout.write(`guest  ${state}, kernel ${kernel}, nics ${nics.join(',')}\n`);
  process.stdout.write(`ssh    ssh -i ${key} -p ${sshPort} root@127.0.0.1\n`);
  process.stdout.write(`serial ${places.serialLog}\n`);
  return state === 'running' ? 0 : 1;
}

/** The lab's own flags stand before the command or right after it; what follows `ssh` belongs to the guest's command. */
function parseCommandLine(argv: readonly string[]): { name: string; lab: Lab; args: readonly string[] } {
  const sshAt = argv.indexOf('ssh');
  const own = sshAt === -1 ? argv : argv.slice(0, sshAt + 1);
  const options = { kernel: { type: 'string' }, nics: { type: 'string' }, guest: { type: 'string' } } as const;
  const { values, positionals } = parseArgs({ args: [...own], options, allowPositionals: true });
  const [name = '', ...rest] = positionals;
  if (values.kernel !== undefined && !isKernel(values.kernel)) {
    throw new LabError(`--kernel ${values.kernel}: expected one of ${allKernels.join(', ')}.`);
  }
  const lab = locateLab();
  const places = locateGuest(lab, values.guest ?? process.env['HFT_LAB_GUEST'] ?? 'main');
  const wanted = { kernel: values.kernel, nics: values.nics?.split(',').map(readNicModel) };
  return { name, lab: { lab, places, wanted }, args: sshAt === -1 ? rest : argv.slice(sshAt + 1) };
}

function readNicModel(text: string): NicModel {
  if (isNicModel(text)) return text;
  throw new LabError(`--nics ${text}: expected some of ${nicModels.join(',')}.`);
}

try {
  const { name, lab, args } = parseCommandLine(process.argv.slice(2));
  const command = commands[name];
  if (command === undefined) process.stderr.write(usage);
  process.exitCode = command === undefined ? 2 : await command(lab, args);
} catch (error) {
  if (!(error instanceof LabError)) throw error;
  process.stderr.write(`lab: ${error.message}\n${error.next === undefined ? '' : `     ${error.next}\n`}`);
  process.exitCode = 3;
}
