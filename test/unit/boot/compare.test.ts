import { describe, expect, test } from 'vitest';
import { compare } from '../../../src/engine/compare.ts';
import type { Setting } from '../../../src/tuning/domain.ts';
import { debianMachine, fixture } from './grub-machine.ts';

const ISOLATED = '/sys/devices/system/cpu/isolated';
const WISH = {
  domain: 'isolation',
  setting: {
    id: 'isolation.isolcpus',
    stage: 'values',
    tunable: {
      kind: 'boot-arg',
      names: ['isolcpus'],
      effect: { path: ISOLATED, format: 'cpulist', value: '2-3' },
    },
    value: 'isolcpus=domain,2-3',
    why: '',
    ifRefused: 'fail',
    disruption: 'reboot',
  } satisfies Setting,
};
const BOOTED = 'BOOT_IMAGE=/boot/vmlinuz root=/dev/loop0p1 ro';

function machine(given: string, isolated: string, next: string) {
  const grub = fixture('debian-12.cfg').replaceAll('ro  quiet', `ro ${next}`);
  return debianMachine({
    '/proc/cmdline': `${BOOTED} ${given}\n`,
    [ISOLATED]: `${isolated}\n`,
    '/boot/grub/grub.cfg': grub,
    '/etc/default/grub.d/90-hft.cfg': `GRUB_CMDLINE_LINUX_DEFAULT="$GRUB_CMDLINE_LINUX_DEFAULT ${next}"\n`,
  });
}

describe('a kernel argument stands to its wish', () => {
  test.each([
    ['as wanted', 'isolcpus=2-3', '2-3', 'isolcpus=2-3', { is: 'satisfied', pendingReboot: false }],
    ['to come with the next boot', '', '', 'isolcpus=2-3', { is: 'satisfied', pendingReboot: true }],
    ['to be set', '', '', '', { is: 'change', takesEffect: 'reboot' }],
    ['about to be lost', 'isolcpus=2-3', '2-3', '', { is: 'change', current: 'isolcpus=domain,2-3', staged: null }],
    ['given and not taken: no reboot will help', 'isolcpus=2-3', '', 'isolcpus=2-3', { is: 'change' }],
    [
      'another one not taken, this one to come',
      'isolcpus=0-3',
      '1-3',
      'isolcpus=2-3',
      { is: 'satisfied', pendingReboot: true },
    ],
  ])('%s', async (_name, given, isolated, next, expected) => {
    expect(await compare(machine(given, isolated, next), WISH)).toMatchObject(expected);
  });

  test('a conflict with the place, before anything is written', async () => {
    const host = debianMachine({ '/etc/default/grub.d/10-site.cfg': '\nGRUB_CMDLINE_LINUX="isolcpus=7"\n' });
    expect(await compare(host, WISH)).toMatchObject({
      is: 'refused',
      kind: 'conflict',
      reason: expect.stringContaining('/etc/default/grub.d/10-site.cfg:2 sets isolcpus=7'),
    });
  });
});
