import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** Where the lab keeps what it builds: outside git, safe to delete. */
export interface LabPlaces {
  readonly repo: string;
  readonly root: string;
  readonly images: string;
  readonly apt: string;
}

/** The files of one running guest. Sockets sit in the temporary folder: a Unix socket path has at most 107 bytes. */
export interface GuestPlaces {
  readonly folder: string;
  readonly disk: string;
  readonly record: string;
  /** The firmware's variables and the EFI system partition of a guest that is started by UEFI. */
  readonly uefi: { readonly variables: string; readonly esp: string };
  readonly serialLog: string;
  readonly pidFile: string;
  readonly sockets: { readonly qmp: string; readonly console: string; readonly ssh: string };
}

export function locateLab(env: NodeJS.ProcessEnv = process.env): LabPlaces {
  const repo = path.resolve(import.meta.dirname, '../..');
  const root = path.resolve(env['HFT_LAB_DIR'] ?? path.join(repo, '.lab'));
  return { repo, root, images: path.join(root, 'images'), apt: path.join(root, 'apt') };
}

export function locateGuest(lab: LabPlaces, name: string): GuestPlaces {
  const folder = path.join(lab.root, 'guests', name);
  const short = createHash('sha256').update(folder).digest('hex').slice(0, 8);
  const socket = (kind: string) => path.join(tmpdir(), `hft-lab-${short}.${kind}`);
  return {
    folder,
    disk: path.join(folder, 'disk.qcow2'),
    record: path.join(folder, 'guest.json'),
    uefi: { variables: path.join(folder, 'uefi-variables.fd'), esp: path.join(folder, 'esp.raw') },
    serialLog: path.join(folder, 'serial.log'),
    pidFile: path.join(folder, 'qemu.pid'),
    sockets: { qmp: socket('qmp'), console: socket('console'), ssh: socket('ssh') },
  };
}
