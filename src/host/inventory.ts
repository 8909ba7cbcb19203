/** What is plugged into this machine, by the library systeminformation (dmidecode, lsblk). For people, never for plans. */
export interface Inventory {
  readonly memoryModules: readonly {
    readonly bank: string;
    readonly bytes: number;
    readonly type: string;
    /** MT/s; undefined when the firmware does not say. */
    readonly speedMTs: number | undefined;
  }[];
  readonly disks: readonly {
    readonly device: string;
    readonly name: string;
    readonly bytes: number;
    readonly interface: string;
  }[];
}

/** Takes some tenths of a second and starts several programs, so only `hft inspect` asks. Empty lists without root. */
export async function readInventory(): Promise<Inventory> {
  const { default: si } = await import('systeminformation');
  const [modules, disks] = await Promise.all([si.memLayout(), si.diskLayout()]);
  return {
    memoryModules: modules
      .filter((module) => module.size > 0)
      .map(({ bank, size, type, clockSpeed }) => ({ bank, bytes: size, type, speedMTs: clockSpeed ?? undefined })),
    disks: disks.map(({ device, name, size, interfaceType }) => ({
      device,
      name,
      bytes: size,
      interface: interfaceType,
    })),
  };
}
