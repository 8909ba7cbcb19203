import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { trialSettings } from '../../../src/engine/trial.ts';
import { defineDomain, type Setting } from '../../../src/tuning/domain.ts';
import type { FakeHost } from '../../fake-host.ts';
import { makeRig, type Rig, recoverRig, stateOf, tuneRig, wantedOf } from '../../faults/rig.ts';
import { debianMachine } from './grub-machine.ts';
import { grubenv, rhelMachine, systemdBootMachine } from './other-machines.ts';

const ARGUMENTS = ['isolcpus=domain,1', 'nohz_full=1', 'panic=10'].map((value): Setting => {
  const name = value.split('=')[0] as string;
  return {
    id: `boot.argument@${name}`,
    stage: 'values',
    tunable: { kind: 'boot-arg', names: [name] },
    value,
    why: 'A test.',
    ifRefused: 'fail',
    disruption: 'reboot',
  };
});

const MOUNTS = '22 1 8:1 / / rw - ext4 /dev/vda1 rw\n';
const MACHINES: readonly (readonly [string, () => FakeHost, readonly Setting[]])[] = [
  ['arguments through GRUB', () => debianMachine(), ARGUMENTS],
  ['arguments through entry files of GRUB', () => rhelMachine(), ARGUMENTS],
  ['arguments through systemd-boot', () => systemdBootMachine(), ARGUMENTS],
  [
    'a trial on GRUB',
    () => debianMachine({ '/proc/self/mountinfo': MOUNTS, '/boot/grub/grubenv': grubenv({}) }),
    trialSettings([], { run: 'r1' }),
  ],
];

const wanted = wantedOf('test', { boot: {} });

/** The machine of the fault tests, started by a boot loader of its own. */
function rigOn(make: () => FakeHost, settings: readonly Setting[]): Rig {
  const rig = makeRig();
  const booted = make();
  for (const [path, text] of booted.files) rig.host.files.set(path, text);
  for (const [command, answer] of booted.commands) rig.host.commands.set(command, answer);
  const domain = defineDomain({
    name: 'boot',
    schema: async () => z.any(),
    observe: async () => ({}),
    desire: () => ({ settings, refused: [] }),
  });
  return { ...rig, engine: { ...rig.engine, domains: [domain] } };
}

describe.each(MACHINES)('%s', (_name, make, settings) => {
  test('hft tune killed at any write, and its recovery killed too: everything is as before', async () => {
    const counted = rigOn(make, settings);
    const before = stateOf(counted);
    expect(await tuneRig(counted, { wanted })).toMatchObject({ result: 'applied' });
    expect(counted.host.writeCount).toBeGreaterThan(2);
    for (let at = 1; at <= counted.host.writeCount; at++) {
      for (const effect of ['die-before', 'die-after'] as const) {
        for (const killRecoveryAt of [undefined, 1, 2, 3]) {
          const rig = rigOn(make, settings);
          rig.host.faults = [{ at, effect }];
          expect(await tuneRig(rig, { wanted })).toBeUndefined();
          expect((await recoverRig(rig, killRecoveryAt)).complete).toBe(true);
          expect(stateOf(rig), `${effect} write ${at}, recovery killed at ${killRecoveryAt}`).toEqual(before);
        }
      }
    }
  });

  test('a write that fails: hft tune undoes the run, and everything is as before', async () => {
    const counted = rigOn(make, settings);
    const before = stateOf(counted);
    await tuneRig(counted, { wanted });
    for (let at = 1; at <= counted.host.writeCount; at++) {
      for (const errno of ['ENOSPC', 'EROFS', 'EIO']) {
        const rig = rigOn(make, settings);
        rig.host.faults = [{ at, effect: { errno } }];
        expect(await tuneRig(rig, { wanted }), `${errno} at write ${at}`).toMatchObject({ result: 'undone' });
        expect(stateOf(rig), `${errno} at write ${at}`).toEqual(before);
      }
    }
  });
});
