import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  busiestRow,
  type FoundCauses,
  type MeasuredWindow,
  type PlantedEvent,
  parsePlanted,
  windowOf,
} from '../unit/latency/planted.ts';
import { compileTestProgram } from '../unit/latency/program.ts';
import type { Guest } from './guest.ts';
import { hft } from './hft.ts';

/** The planters of the tests (test/unit/latency/programs), compiled here without dependencies and copied to /root. */
export async function needPlanters(guest: Guest): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'hft-planters-'));
  try {
    for (const name of ['plant', 'interrupt-rows', 'run-delay'])
      await guest.copyIn(compileTestProgram(name, folder, ['-static']), `/root/${name}`);
  } finally {
    await rm(folder, { recursive: true });
  }
}

export interface Planting {
  /** Where it disturbs; measured too unless `measured` says where. */
  readonly cpu: number;
  readonly measured?: number;
  /** Mode and options of programs/plant.c. */
  readonly planter: string;
  /** Rows of /proc/interrupts to count on that CPU. */
  readonly rows: readonly string[];
  readonly durationS: number;
  /** Of hft verify latency. */
  readonly flags?: string;
}

export interface PlantedRun {
  readonly found: FoundCauses;
  readonly window: MeasuredWindow;
  readonly events: readonly PlantedEvent[];
}

/** Measures jitter beside a planter, which is gone when this returns or throws. */
export async function plantAndMeasure(guest: Guest, planting: Planting): Promise<PlantedRun> {
  const { cpu, measured = cpu, planter, rows, durationS, flags = '' } = planting;
  await start(guest, 'plant', `${planter} --cpu ${cpu}`);
  await start(guest, 'interrupt-rows', `${cpu} 3600 ${rows.join(' ')}`);
  await start(guest, 'run-delay', `${measured} 3600`);
  const options = `--probe jitter --cpus ${measured} --duration ${durationS}s ${flags} --json`;
  try {
    const { code, stdout, stderr } = await hft(guest, `verify latency ${options}`, 900);
    if (!stdout.startsWith('{')) throw new Error(`hft verify latency ended with ${code}: ${stderr.slice(-2000)}`);
    const found = JSON.parse(stdout) as FoundCauses;
    await stopAll(guest);
    const text = await guest.read(`cat ${logOf('plant')} ${logOf('interrupt-rows')} ${logOf('run-delay')}`, {
      timeoutS: 300,
    });
    return { found, window: windowOf(found), events: parsePlanted(text) };
  } finally {
    await stopAll(guest);
  }
}

/** Which numbered row of /proc/interrupts counts a storm on its CPU; undefined: none does. */
export async function rowOfStorm(guest: Guest, planter: string, cpu: number) {
  const before = await guest.read('cat /proc/interrupts');
  await guest.ssh(`/root/plant ${planter} --cpu ${cpu} --seconds 5 > /dev/null`, { timeoutS: 120 });
  return busiestRow(before, await guest.read('cat /proc/interrupts'), cpu)?.row;
}

const logOf = (program: string) => `/root/planted-${program}.log`;

async function start(guest: Guest, program: string, args: string): Promise<void> {
  const output = `--property=StandardOutput=truncate:${logOf(program)}`;
  await guest.ssh(`systemd-run --quiet --collect --unit=planted-${program} ${output} /root/${program} ${args}`);
}

/** Each writes what it counted when it is ended; one that ended by itself has no unit any more. */
async function stopAll(guest: Guest): Promise<void> {
  await guest.ssh('systemctl stop planted-plant planted-interrupt-rows planted-run-delay', {
    timeoutS: 300,
    allowFail: true,
  });
}
