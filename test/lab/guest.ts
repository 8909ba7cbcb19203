import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import type { Image } from './image.ts';
import type { Kernel } from './kernels.ts';
import { LabError } from './lab-error.ts';
import { listQemuArguments, type MachineSpec, type NicModel, type PackageCores, readQemuMajor } from './machine.ts';
import type { GuestPlaces } from './places.ts';
import { queryMonitor } from './qmp.ts';
import * as ssh from './ssh.ts';
import { makeUefiFiles } from './uefi.ts';

/** What a guest was started as, kept beside its disk so that the next command finds it. */
export interface GuestRecord {
  readonly image: string;
  readonly key: string;
  readonly kernel: Kernel;
  readonly nics: readonly NicModel[];
  readonly sshPort: number;
  /** uefi: started by UEFI firmware and systemd-boot (uefi.ts); otherwise by SeaBIOS and GRUB. */
  readonly firmware?: 'uefi';
  readonly cores?: PackageCores;
}

/** Until ssh answers: a boot takes 30 to 60 s on two cores, and many times that when others use them too. */
const bootTimeoutS = 600;

/** One virtual machine on its own overlay disk. */
export class Guest {
  readonly places: GuestPlaces;
  readonly record: GuestRecord;
  readonly #target: ssh.SshTarget;

  constructor(places: GuestPlaces, record: GuestRecord) {
    this.places = places;
    this.record = record;
    this.#target = { port: record.sshPort, key: record.key, control: places.sockets.ssh };
  }

  /** Runs a shell command as root. Throws LabError on an exit code other than 0 unless `allowFail`. */
  async ssh(command: string, options?: ssh.SshOptions): Promise<ssh.SshResult> {
    return ssh.runSsh(this.#target, command, options);
  }

  /** Standard output of a command that must work. */
  async read(command: string, options?: ssh.SshOptions): Promise<string> {
    return (await this.ssh(command, options)).stdout;
  }

  /** Copies a file or folder to exactly `guestPath`, replacing what is there. */
  async copyIn(localPath: string, guestPath: string): Promise<void> {
    await ssh.copyIn(this.#target, localPath, guestPath);
  }

  /** Copies one file out. */
  async copyOut(guestPath: string, localPath: string): Promise<void> {
    await ssh.copyOut(this.#target, guestPath, localPath);
  }

  /** The kernel's id of the running boot; every boot has another. */
  async bootId(): Promise<string> {
    return this.read('cat /proc/sys/kernel/random/boot_id');
  }

  /** Reboots in the orderly way and waits until ssh answers in a new boot. Returns the seconds it took. */
  async reboot(timeoutS = bootTimeoutS): Promise<number> {
    const before = await this.bootId();
    const startMs = performance.now();
    await this.ssh('systemctl reboot', { allowFail: true, timeoutS: 20 });
    await this.waitBoot({ notBootId: before, timeoutS });
    return (performance.now() - startMs) / 1000;
  }

  /**
   * Waits until ssh answers, in another boot than `notBootId` if that is given, and systemd has started everything.
   * Returns the boot id.
   */
  async waitBoot(options: { notBootId?: string; timeoutS?: number } = {}): Promise<string> {
    const timeoutS = options.timeoutS ?? bootTimeoutS;
    const endMs = performance.now() + timeoutS * 1000;
    await ssh.disconnect(this.#target);
    while (performance.now() < endMs) {
      const answer = await this.ssh('cat /proc/sys/kernel/random/boot_id', { allowFail: true, timeoutS: 40 });
      if (answer.code === 0 && answer.stdout !== options.notBootId) {
        // sshd answers before the last units and drivers are there.
        await this.ssh('udevadm settle; systemctl is-system-running --wait', { allowFail: true });
        return answer.stdout;
      }
      await ssh.disconnect(this.#target);
      if (!(await this.isRunning()))
        throw new LabError('QEMU ended while the guest was booting.', this.places.serialLog);
      await sleep(500);
    }
    const log = await this.serialLog();
    throw new LabError(`The guest did not answer within ${timeoutS} s. Its console ended with:\n${log.slice(-1500)}`);
  }

  /** Ends QEMU with SIGKILL: what the guest had not flushed to its disk is lost. */
  async powerCut(): Promise<void> {
    const pid = await this.#pid();
    if (pid === undefined) throw new LabError('There is no power to cut: the guest does not run.');
    process.kill(pid, 'SIGKILL');
    await this.#waitEnd();
    await ssh.disconnect(this.#target);
  }

  /** Orderly power-off. */
  async powerOff(): Promise<void> {
    await this.ssh('systemctl poweroff', { allowFail: true, timeoutS: 20 });
    await this.#waitEnd();
    await ssh.disconnect(this.#target);
  }

  /** Starts QEMU on the guest's disk, as it was left; does not wait for the boot. */
  async start(): Promise<void> {
    await startMachine(this.places, {
      disk: { file: this.places.disk, format: 'qcow2' },
      sshPort: this.record.sshPort,
      nics: this.record.nics,
      ...(this.record.cores && { cores: this.record.cores }),
      ...(this.record.firmware === 'uefi' && { uefi: this.places.uefi }),
    });
  }

  /** A QMP command, e.g. `monitor('system_reset')`, `monitor('set_link', {name: 'management', up: false})`. */
  async monitor(command: string, args?: Record<string, unknown>): Promise<unknown> {
    return queryMonitor(this.places.sockets.qmp, command, args);
  }

  /** All that the guest has written to its serial console since its disk was made, GRUB and kernel messages included. */
  async serialLog(): Promise<string> {
    return existsSync(this.places.serialLog) ? readFile(this.places.serialLog, 'utf8') : '';
  }

  async isRunning(): Promise<boolean> {
    return (await this.#pid()) !== undefined;
  }

  async #pid(): Promise<number | undefined> {
    return readQemuPid(this.places);
  }

  async #waitEnd(): Promise<void> {
    for (let tries = 0; tries < 300; tries += 1) {
      if (!(await this.isRunning())) return;
      await sleep(200);
    }
    throw new LabError('QEMU is still running after 60 s.', `kill -9 $(cat ${this.places.pidFile})`);
  }
}

/** The process id of the guest's QEMU while it runs; a pid file left by a killed one does not count. */
export async function readQemuPid(places: GuestPlaces): Promise<number | undefined> {
  if (!existsSync(places.pidFile)) return undefined;
  const pid = Number((await readFile(places.pidFile, 'utf8')).trim());
  const commandLine = `/proc/${pid}/cmdline`;
  if (!existsSync(commandLine)) return undefined;
  const running = (await readFile(commandLine, 'utf8')).includes(places.pidFile);
  return running ? pid : undefined;
}

/** Starts QEMU and returns when it runs in the background. */
export async function startMachine(places: GuestPlaces, spec: Omit<MachineSpec, 'qemuMajor'>): Promise<void> {
  const args = listQemuArguments({ ...spec, qemuMajor: await readQemuMajor() }, places);
  const result = await execa('qemu-system-x86_64', args, { reject: false, all: true });
  if (result.exitCode !== 0) throw new LabError(`QEMU did not start:\n${result.all}`);
}

/** A guest with a fresh disk over the image, started but not yet booted. One that runs in the same place is ended. */
export async function createGuest(
  places: GuestPlaces,
  image: Image,
  wanted: Pick<GuestRecord, 'kernel' | 'nics' | 'firmware' | 'cores'>,
): Promise<Guest> {
  await removeGuest(places);
  await mkdir(places.folder, { recursive: true });
  if (wanted.firmware === 'uefi') await makeUefiFiles(places, image);
  const backing = image.diskOf(wanted.kernel);
  await execa('qemu-img', ['create', '-q', '-f', 'qcow2', '-b', backing, '-F', 'raw', places.disk]);
  const record: GuestRecord = { ...wanted, image: image.folder, key: image.key, sshPort: await findFreePort() };
  await writeFile(places.record, `${JSON.stringify(record, null, 2)}\n`);
  const guest = new Guest(places, record);
  await guest.start();
  return guest;
}

/** The guest that was created in this place; undefined when there is none. It may be switched off. */
export async function openGuest(places: GuestPlaces): Promise<Guest | undefined> {
  if (!existsSync(places.record)) return undefined;
  return new Guest(places, JSON.parse(await readFile(places.record, 'utf8')) as GuestRecord);
}

/** Ends the guest and removes its disk and logs. */
export async function removeGuest(places: GuestPlaces): Promise<void> {
  const guest = await openGuest(places);
  if (guest !== undefined && (await guest.isRunning())) await guest.powerCut();
  await rm(places.folder, { recursive: true, force: true });
}

export async function findFreePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
